# Options: everything but the library is off when hotline is a part of another project.
option(HOTLINE_TESTS "Build the tests" ${PROJECT_IS_TOP_LEVEL})
option(HOTLINE_EXAMPLES "Build examples/" ${PROJECT_IS_TOP_LEVEL})
option(HOTLINE_BENCH "Build bench/" ${PROJECT_IS_TOP_LEVEL})
option(HOTLINE_TOOL "Build the hotline program" ${PROJECT_IS_TOP_LEVEL})
option(HOTLINE_INSTALL "Make install rules" ${PROJECT_IS_TOP_LEVEL})
option(HOTLINE_WARNINGS_AS_ERRORS "Stop at a warning in hotline's own sources" OFF)
set(HOTLINE_SANITIZE "" CACHE STRING "Sanitizers: address,undefined or thread")

if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU" AND CMAKE_CXX_COMPILER_VERSION VERSION_LESS 12)
  message(FATAL_ERROR "hotline needs g++ 12 or later; this is ${CMAKE_CXX_COMPILER_VERSION}")
endif()

if(PROJECT_IS_TOP_LEVEL)
  set(CMAKE_CXX_EXTENSIONS OFF)
  find_program(HOTLINE_CCACHE ccache)
  mark_as_advanced(HOTLINE_CCACHE)
  if(HOTLINE_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    # One clone's objects are another's: the paths that ccache sees are relative to the checkout.
    set(CMAKE_CXX_COMPILER_LAUNCHER
        ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
        ${HOTLINE_CCACHE})
  endif()
endif()

if(HOTLINE_SANITIZE)
  add_compile_options(-fsanitize=${HOTLINE_SANITIZE} -fno-sanitize-recover=all
                      -fno-omit-frame-pointer)
  add_link_options(-fsanitize=${HOTLINE_SANITIZE})
  if(HOTLINE_SANITIZE STREQUAL "thread" AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-Wno-tsan) # Asio's fences, which g++'s thread sanitizer does not follow
  endif()
endif()

# The house's warnings, for our own targets only: nothing is imposed on those who link them.
function(hotline_warnings target)
  if(NOT PROJECT_IS_TOP_LEVEL)
    return()
  endif()
  target_compile_options(
    ${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion
                      $<$<BOOL:${HOTLINE_WARNINGS_AS_ERRORS}>:-Werror>)
endfunction()
