# SPDX-License-Identifier: Apache-2.0
# Runs at every build: writes OUT, a header with the commit of SOURCE and whether the tree differs from it. Touches the
# file only when it changes. Outside a git checkout the commit is empty.
set(sha "")
set(dirty false)
find_program(GIT git)
if(GIT)
  execute_process(COMMAND ${GIT} -C ${SOURCE} rev-parse HEAD
                  OUTPUT_VARIABLE sha OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  execute_process(COMMAND ${GIT} -C ${SOURCE} status --porcelain --untracked-files=no
                  OUTPUT_VARIABLE changes OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_QUIET)
  if(changes)
    set(dirty true)
  endif()
endif()
file(CONFIGURE OUTPUT ${OUT} @ONLY CONTENT [[
// SPDX-License-Identifier: Apache-2.0
// Written by environment_git.cmake.
#pragma once

namespace attnscope {

inline constexpr const char* kGitSha = "@sha@";
inline constexpr bool kGitDirty = @dirty@;

}  // namespace attnscope
]])
