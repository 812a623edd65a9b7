// SPDX-License-Identifier: Apache-2.0
// Every failure a person can meet is one of these. The program maps each to its exit code; libraries only throw.
#pragma once

#include <stdexcept>
#include <string>

namespace attnscope {

/// Something failed; `what()` names the subject (file, key, tensor, call), what was expected and what was found.
class Error : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// The user's input is wrong: a file, a config key, an option, a shape. Exit code 2.
class InputError : public Error {
 public:
  using Error::Error;
};

/// This machine cannot do what was demanded: no such device, a denied tier, a missing instruction set. Exit code 3.
class MachineError : public Error {
 public:
  using Error::Error;
};

/// Host or device memory ran out; a point that throws it gets the status `oom`.
class OutOfMemory : public Error {
 public:
  using Error::Error;
};

}  // namespace attnscope
