// Where the module finds Node's functions on Windows. They are imported from node.exe; but in an editor the program that
// runs Node is another one, Code.exe for instance. So node.exe is loaded late, and then is the running program.

#if defined(_WIN32)

#include <windows.h>

#include <delayimp.h>

#include <cstring>

namespace {

FARPROC WINAPI answerWithThisProgram(unsigned event, PDelayLoadInfo info) {
  if (event != dliNotePreLoadLibrary || _stricmp(info->szDll, "node.exe") != 0) return nullptr;
  return reinterpret_cast<FARPROC>(GetModuleHandleW(nullptr));
}

}  // namespace

extern "C" {
// Of the type that the header declares: constant or not, depending on the compiler.
decltype(__pfnDliNotifyHook2) __pfnDliNotifyHook2 = answerWithThisProgram;
}

#endif
