# One library per folder. A library's headers are reachable only through the include root made for it here, so an
# include that the dependency list does not allow fails to build.

add_library(asio_compiled STATIC ${CMAKE_CURRENT_LIST_DIR}/asio.cpp)
target_link_libraries(asio_compiled PUBLIC Threads::Threads)
add_library(Asio::asio ALIAS asio_compiled)

# `headers` compiles each header alone, so that none counts on what another file included before it.
set(CMAKE_VERIFY_INTERFACE_HEADER_SETS ON)
add_custom_target(headers)

# NAME_linux.cpp, NAME_posix.cpp, NAME_windows.cpp are for those systems, NAME_none.cpp for one that has no such thing.
# All but the first two are left out.
set(ds_other_systems "windows|none")

# ds_library(FOLDER DEPENDS other folders USES external targets): all *.cpp in FOLDER but main.cpp and other systems'.
function(ds_library folder)
    cmake_parse_arguments(arg "" "" "DEPENDS;USES" ${ARGN})
    string(REPLACE "/" "_" name ${folder})
    set(name ds_${name})
    file(GLOB sources CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/${folder}/*.cpp)
    list(FILTER sources EXCLUDE REGEX "(/main|_(${ds_other_systems}))\\.cpp$")
    if(sources)
        add_library(${name} STATIC ${sources})
        set(scope PUBLIC)
    else()
        add_library(${name} INTERFACE)
        set(scope INTERFACE)
    endif()
    set(root ${PROJECT_BINARY_DIR}/include/${name})
    get_filename_component(parent ${root}/${folder} DIRECTORY)
    file(MAKE_DIRECTORY ${parent})
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/${folder} ${root}/${folder} SYMBOLIC)
    file(GLOB headers CONFIGURE_DEPENDS ${root}/${folder}/*.hpp)
    target_sources(${name} ${scope} FILE_SET HEADERS BASE_DIRS ${root} FILES ${headers})
    foreach(dependency ${arg_DEPENDS})
        string(REPLACE "/" "_" dependency ${dependency})
        target_link_libraries(${name} ${scope} ds_${dependency})
    endforeach()
    target_link_libraries(${name} ${scope} ${arg_USES})
    add_dependencies(headers ${name}_verify_interface_header_sets)
endfunction()

# Everything but the tests.
add_custom_target(programs)

# ds_program(NAME IN folder): main.cpp of the folder, linked with the folder's library.
function(ds_program name)
    cmake_parse_arguments(arg "" "IN" "" ${ARGN})
    set(main ${PROJECT_SOURCE_DIR}/${arg_IN}/main.cpp)
    if(EXISTS ${main})
        add_executable(${name} ${main})
        target_link_libraries(${name} PRIVATE ds_${arg_IN})
        add_dependencies(programs ${name})
        install(TARGETS ${name} RUNTIME DESTINATION bin)
    endif()
endfunction()
