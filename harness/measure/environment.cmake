# SPDX-License-Identifier: Apache-2.0
# environment.cpp and the two headers that tell it how and from what it was built.
set(generated ${CMAKE_CURRENT_BINARY_DIR}/generated)

string(TOUPPER "${CMAKE_BUILD_TYPE}" config)
string(STRIP "${CMAKE_CXX_FLAGS} ${CMAKE_CXX_FLAGS_${config}}" environment_cxx_flags)
if(ATTNSCOPE_CUDA)
  set(environment_cuda_compiler "${CMAKE_CUDA_COMPILER_ID} ${CMAKE_CUDA_COMPILER_VERSION}")
  string(STRIP "${CMAKE_CUDA_FLAGS} ${CMAKE_CUDA_FLAGS_${config}}" environment_cuda_flags)
  set(environment_cuda_architectures "${CMAKE_CUDA_ARCHITECTURES}")
endif()
configure_file(environment_build.hpp.in ${generated}/environment_build.hpp @ONLY)

add_custom_target(attnscope_git_version
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${CMAKE_SOURCE_DIR} -DOUT=${generated}/environment_git.hpp
          -P ${CMAKE_CURRENT_SOURCE_DIR}/environment_git.cmake
  BYPRODUCTS ${generated}/environment_git.hpp
  COMMENT "Recording the git commit")
add_dependencies(attnscope_harness attnscope_git_version)

target_include_directories(attnscope_harness PRIVATE ${generated})
target_sources(attnscope_harness PRIVATE environment.cpp machine.cpp)
if(ATTNSCOPE_TESTS)
  attnscope_test(NAME harness.environment SOURCES environment_test.cpp LINK attnscope_harness)
endif()
