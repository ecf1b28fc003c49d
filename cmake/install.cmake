# Headers, archives, find_package(hotline) and pkg-config's hotline.
include(CMakePackageConfigHelpers)

set(hotline_config_dir ${CMAKE_INSTALL_LIBDIR}/cmake/hotline)

install(DIRECTORY include/hotline DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(TARGETS hotline hotline_base hotline_protocol hotline_net hotline_http hotline_websocket
                hotline_testing
        EXPORT hotlineTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(EXPORT hotlineTargets NAMESPACE hotline:: DESTINATION ${hotline_config_dir})
if(TARGET hotline_tool)
  install(TARGETS hotline_tool)
  # Where the program is, is known only to `cmake --install`.
  install(CODE "
    set(HOTLINE_BINDIR \"\${CMAKE_INSTALL_PREFIX}/${CMAKE_INSTALL_BINDIR}\")
    configure_file(\"${PROJECT_SOURCE_DIR}/packaging/hotline.service.in\"
                   \"${PROJECT_BINARY_DIR}/hotline.service\" @ONLY)")
  install(FILES ${PROJECT_BINARY_DIR}/hotline.service
                ${PROJECT_SOURCE_DIR}/packaging/hotline.socket DESTINATION lib/systemd/system)
  install(FILES ${PROJECT_SOURCE_DIR}/packaging/hotline.toml
          DESTINATION ${CMAKE_INSTALL_DATADIR}/hotline)
  install(FILES ${PROJECT_SOURCE_DIR}/packaging/hotline.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  # The program itself knows what shells are to know of it.
  foreach(shell bash zsh fish)
    install(CODE "
      execute_process(COMMAND \"$<TARGET_FILE:hotline_tool>\" completions ${shell}
                      OUTPUT_FILE \"${PROJECT_BINARY_DIR}/completions.${shell}\"
                      COMMAND_ERROR_IS_FATAL ANY)")
  endforeach()
  set(completions ${PROJECT_BINARY_DIR}/completions)
  install(FILES ${completions}.bash RENAME hotline
          DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions)
  install(FILES ${completions}.zsh RENAME _hotline
          DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/site-functions)
  install(FILES ${completions}.fish RENAME hotline.fish
          DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d)
endif()

configure_package_config_file(cmake/hotlineConfig.cmake.in ${PROJECT_BINARY_DIR}/hotlineConfig.cmake
                              INSTALL_DESTINATION ${hotline_config_dir})
# Before 1.0 a minor version may break its users.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/hotlineConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/hotlineConfig.cmake
              ${PROJECT_BINARY_DIR}/hotlineConfigVersion.cmake cmake/Findcares.cmake
        DESTINATION ${hotline_config_dir})

# Relative to the .pc file, since the prefix is known only to `cmake --install`.
set(hotline_pc_dir /${CMAKE_INSTALL_LIBDIR}/pkgconfig)
cmake_path(RELATIVE_PATH hotline_pc_dir BASE_DIRECTORY / OUTPUT_VARIABLE hotline_pc_depth)
string(REGEX REPLACE "[^/]+" ".." hotline_pc_up "${hotline_pc_depth}")
configure_file(cmake/hotline.pc.in ${PROJECT_BINARY_DIR}/hotline.pc @ONLY)
configure_file(cmake/hotline-testing.pc.in ${PROJECT_BINARY_DIR}/hotline-testing.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/hotline.pc ${PROJECT_BINARY_DIR}/hotline-testing.pc
        DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
