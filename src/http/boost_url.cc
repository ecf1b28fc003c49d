// Boost.URL is compiled here, as Asio and Beast are: it is headers only for us.
#include <boost/url/src.hpp>
