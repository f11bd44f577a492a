# Compiler settings shared by everything in the tree.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
if(NOT CMAKE_BUILD_TYPE)
    set(CMAKE_BUILD_TYPE Release)
endif()

option(DS_TESTS "Build the tests" ON)
option(DS_BENCH "Build the load tool" OFF)
set(DS_SANITIZE "" CACHE STRING "Sanitizers for the whole build, as in -fsanitize=")
option(DS_UNITY "Compile eight files of a library at a time: sooner built, later rebuilt" OFF)
set(DS_COVERAGE OFF CACHE BOOL "Instrument for coverage")

add_compile_options(-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor -Werror=return-type -fno-omit-frame-pointer)
if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    # False alarms of GCC 12 on coroutine frames, variants and strings.
    add_compile_options(-Wno-mismatched-new-delete -Wno-maybe-uninitialized -Wno-restrict)
else()
    # Asio 1.22 asks clang for the coroutines TS macro.
    add_compile_definitions(ASIO_HAS_CO_AWAIT ASIO_HAS_STD_COROUTINE)
endif()
# Asio finds aligned allocation or not by include order; one answer for all files, or new and free disagree.
add_compile_definitions(ASIO_STANDALONE ASIO_SEPARATE_COMPILATION ASIO_NO_DEPRECATED ASIO_DISABLE_STD_ALIGNED_ALLOC)

if(DS_UNITY)
    set(CMAKE_UNITY_BUILD ON)
    set(CMAKE_UNITY_BUILD_BATCH_SIZE 8)
    # Names and types of one file are no fault of its neighbours.
    add_compile_options(-Wno-shadow)
    if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
        add_compile_options(-Wno-subobject-linkage)
    endif()
endif()
if(DS_SANITIZE)
    add_compile_options(-fsanitize=${DS_SANITIZE} -fno-sanitize-recover=all)
    add_link_options(-fsanitize=${DS_SANITIZE})
    if(CMAKE_CXX_COMPILER_ID STREQUAL "Clang")
        # clang 14 cannot compile coroutines with this part of `undefined`.
        add_compile_options(-fno-sanitize=function)
    endif()
    if(DS_SANITIZE MATCHES "thread")
        # TSan does not model fences; Asio then uses atomics instead.
        add_compile_definitions(ASIO_DISABLE_FENCED_BLOCK)
    endif()
endif()
if(DS_COVERAGE)
    add_compile_options(--coverage)
    add_link_options(--coverage)
endif()

find_program(CCACHE ccache)
if(CCACHE)
    # Relative paths in the hash: another checkout or build folder finds the same objects.
    set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1 ${CCACHE})
endif()

find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED)
find_package(spdlog REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(CLI11 REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(systemd REQUIRED IMPORTED_TARGET libsystemd)
