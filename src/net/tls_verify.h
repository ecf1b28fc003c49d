#pragma once

#include <openssl/x509.h>

namespace hotline::tls {

/// OpenSSL's callback: tells the TlsStream why a certificate is not believed.
int on_verified(int good, X509_STORE_CTX* context);

}  // namespace hotline::tls
