# hotline_layer(<name> LINK <target>...)
#
# The static library hotline_<name> of src/<name>/*.cc, and, with HOTLINE_TESTS, the test program
# <name>_test of src/<name>/*_test.cc and *_fixture.cc.
function(hotline_layer name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "LINK")
  file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*.cc)
  list(FILTER sources EXCLUDE REGEX "_(test|fixture)\\.cc$")
  if(NOT sources) # headers only, so far
    set(sources ${PROJECT_BINARY_DIR}/${name}_empty.cc)
    file(GENERATE OUTPUT ${sources} CONTENT "")
  endif()
  set(target hotline_${name})
  add_library(${target} STATIC ${sources})
  add_library(hotline::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(
    ${target}
    PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
           $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>
    PRIVATE ${PROJECT_SOURCE_DIR}/src)
  hotline_warnings(${target})

  # Other layers are part of a layer's interface; what is not ours is its own affair.
  foreach(library IN LISTS arg_LINK)
    if(library MATCHES "^hotline_")
      target_link_libraries(${target} PUBLIC ${library})
    else()
      target_link_libraries(${target} PRIVATE ${library})
    endif()
  endforeach()

  if(HOTLINE_TESTS)
    file(GLOB tests CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/src/${name}/*_test.cc
         ${PROJECT_SOURCE_DIR}/src/${name}/*_fixture.cc)
    if(tests)
      set(kit "")
      if(NOT name MATCHES "^(base|protocol|testing)$")
        set(kit hotline_testing)
      endif()
      hotline_test(${name}_test SOURCES ${tests} LINK ${kit} ${target} LABELS unit sanitize)
    endif()
  endif()
endfunction()

# hotline_test(<name> SOURCES <file>... [LINK <target>...] [LABELS <label>...])
#
# A GoogleTest program and its entry in ctest. What stands in tests/support is linked where used;
# it may use any layer that the test links.
function(hotline_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;LINK;LABELS")
  find_package(GTest REQUIRED)
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR}/src ${PROJECT_SOURCE_DIR}/tests)
  hotline_test_support()
  # The support before the layers, so that the layers answer what it asks for.
  target_link_libraries(${name} PRIVATE ${HOTLINE_TEST_SUPPORT} ${arg_LINK} GTest::gmock
                                        GTest::gtest_main)
  hotline_warnings(${name})
  add_test(NAME ${name} COMMAND ${name} --gtest_brief=1)
  set_tests_properties(${name} PROPERTIES LABELS "${arg_LABELS}" TIMEOUT 300)
endfunction()

# Sets HOTLINE_TEST_SUPPORT to the library of tests/support/*.cc, if there are any.
macro(hotline_test_support)
  set(HOTLINE_TEST_SUPPORT "")
  file(GLOB support CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/tests/support/*.cc)
  if(support)
    set(HOTLINE_TEST_SUPPORT hotline_test_support)
    if(NOT TARGET hotline_test_support)
      add_library(hotline_test_support STATIC ${support})
      target_compile_features(hotline_test_support PUBLIC cxx_std_20)
      # Compiled as Asio's user is, but linking no layer: the test says which it has.
      target_compile_definitions(
        hotline_test_support PRIVATE BOOST_ASIO_SEPARATE_COMPILATION BOOST_ASIO_NO_DEPRECATED
                                     BOOST_BEAST_SEPARATE_COMPILATION)
      target_include_directories(
        hotline_test_support PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR}/src
                                     ${PROJECT_SOURCE_DIR}/tests)
      target_link_libraries(hotline_test_support PRIVATE Boost::headers GTest::gmock OpenSSL::Crypto)
      hotline_warnings(hotline_test_support)
    endif()
  endif()
endmacro()
