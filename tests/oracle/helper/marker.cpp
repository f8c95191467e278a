// SPDX-License-Identifier: Apache-2.0
//
// The smallest program that can prove it ran: it prints the marker. As the interpreter of a
// script it first opens every file it was handed, as real interpreters do, and stays silent
// where one cannot be read. It uses no library and needs no relocation: a tree can hold hundreds
// of copies, and the kernel can start it as a program, as an interpreter and as a loader.
#include <asm/unistd.h>
#include <fcntl.h>

namespace {

constexpr char kMarker[] = "PGMARK:\n\n";

#if defined(__x86_64__)
long system_call(long number, long first, long second = 0, long third = 0) {
  asm volatile("syscall"
               : "+a"(number)
               : "D"(first), "S"(second), "d"(third)
               : "rcx", "r11", "memory");
  return number;
}
// The kernel enters with the arguments on the stack and no return address.
asm(".globl _start\n_start:\n  mov %rsp, %rdi\n  and $-16, %rsp\n  call marker_main\n");
#elif defined(__aarch64__)
long system_call(long number, long first, long second = 0, long third = 0) {
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = first;
  register long x1 asm("x1") = second;
  register long x2 asm("x2") = third;
  asm volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2) : "memory");
  return x0;
}
asm(".globl _start\n_start:\n  mov x0, sp\n  bl marker_main\n");
#else
#error "write the system call and the entry point for this processor"
#endif

bool readable(const char* path) {
  return system_call(__NR_openat, AT_FDCWD, reinterpret_cast<long>(path), O_RDONLY) >= 0;
}

}  // namespace

extern "C" [[noreturn]] __attribute__((used)) void marker_main(long* stack) {
  const long count = stack[0];
  char** arguments = reinterpret_cast<char**>(stack + 1);
  for (long i = 1; i < count; ++i) {
    if (arguments[i][0] != '-' && !readable(arguments[i])) system_call(__NR_exit, 1);
  }
  system_call(__NR_write, 1, reinterpret_cast<long>(kMarker), sizeof kMarker - 1);
  for (;;) system_call(__NR_exit, 0);
}
