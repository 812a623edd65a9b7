# SPDX-License-Identifier: Apache-2.0
# attnscope_options: what every target of this project links privately. No global flags.
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CUDA_STANDARD_REQUIRED OFF)  # CMake 3.25 knows no C++20 for nvcc 13; the option below gives it
if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release CACHE STRING "Build type" FORCE)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
  set(CMAKE_CUDA_COMPILER_LAUNCHER ${CCACHE})
endif()

add_library(attnscope_options INTERFACE)
target_include_directories(attnscope_options INTERFACE ${CMAKE_SOURCE_DIR})
# The language standard does not reach nvcc under CMake 3.25 (CMAKE_CUDA_STANDARD 20 falls back silently): say it here.
target_compile_options(attnscope_options INTERFACE
  $<$<COMPILE_LANGUAGE:CXX>:-Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor>
  # False alarms of g++ 12 in inlined std::string and std::optional (GCC bugs 105651 and 80635).
  $<$<COMPILE_LANG_AND_ID:CXX,GNU>:-Wno-restrict -Wno-maybe-uninitialized>
  $<$<COMPILE_LANG_AND_ID:CUDA,NVIDIA>:-std=c++20 -Xcompiler=-Wall,-Wextra --expt-relaxed-constexpr -lineinfo>)
if(ATTNSCOPE_SANITIZE)
  target_compile_options(attnscope_options INTERFACE
    $<$<COMPILE_LANGUAGE:CXX>:-fsanitize=${ATTNSCOPE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=undefined>)
  target_link_options(attnscope_options INTERFACE -fsanitize=${ATTNSCOPE_SANITIZE})
endif()
