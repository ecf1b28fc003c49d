# The imported target cares::cares. Older packages of c-ares bring no configuration for CMake.
find_path(CARES_INCLUDE_DIR ares.h)
find_library(CARES_LIBRARY cares)
mark_as_advanced(CARES_INCLUDE_DIR CARES_LIBRARY)

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(cares REQUIRED_VARS CARES_LIBRARY CARES_INCLUDE_DIR)

if(cares_FOUND AND NOT TARGET cares::cares)
  add_library(cares::cares UNKNOWN IMPORTED)
  set_target_properties(cares::cares PROPERTIES IMPORTED_LOCATION "${CARES_LIBRARY}"
                                                INTERFACE_INCLUDE_DIRECTORIES "${CARES_INCLUDE_DIR}")
endif()
