# SPDX-License-Identifier: Apache-2.0
find_package(GTest REQUIRED)

# attnscope_test(NAME kernels.core SOURCES a.cpp b.cpp LINK attnscope_harness [LABELS gpu slow])
# One executable and one ctest entry; the name is the path of what it tests. Tests labelled `gpu` skip without a GPU.
function(attnscope_test)
  cmake_parse_arguments(T "" "NAME" "SOURCES;LINK;LABELS" ${ARGN})
  add_executable(${T_NAME} ${T_SOURCES})
  target_link_libraries(${T_NAME} PRIVATE ${T_LINK} attnscope_options GTest::gtest GTest::gmock GTest::gtest_main)
  set_target_properties(${T_NAME} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_compile_definitions(${T_NAME} PRIVATE ATTNSCOPE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  add_test(NAME ${T_NAME} COMMAND ${T_NAME} WORKING_DIRECTORY ${CMAKE_SOURCE_DIR})
  if(NOT T_LABELS)
    set(T_LABELS cpu)
  endif()
  set_tests_properties(${T_NAME} PROPERTIES LABELS "${T_LABELS}")
  if(gpu IN_LIST T_LABELS)  # GoogleTest exits with 0 when it skipped everything; ctest shall not call that a pass
    set_tests_properties(${T_NAME} PROPERTIES
      SKIP_REGULAR_EXPRESSION "PASSED  \\] 0 tests\\.[\r\n]+\\[  SKIPPED \\]")
  endif()
endfunction()
