#pragma once

#include <initializer_list>

namespace locret {

/** A library that is opened at run time, because a machine may lack it. Stays open. */
class SharedLibrary {
 public:
  /** The first of these names that the system's loader finds; none is no error. */
  static SharedLibrary openFirst(std::initializer_list<const char*> names);

  /** Sets `function` to the library's function of that name; false where there is none. */
  template <typename Function>
  bool find(const char* name, Function& function) const {
    function = reinterpret_cast<Function>(address(name));
    return function != nullptr;
  }

 private:
  explicit SharedLibrary(void* handle) : handle_(handle) {}

  void* address(const char* name) const;

  void* handle_;
};

}  // namespace locret
