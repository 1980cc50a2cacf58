// C interface of one Verilated model. ANSER_PORTS and ANSER_TRACE are defined above this text by verilate.rs.
#include "Vdut.h"
#include "verilated.h"
#if ANSER_TRACE
#include "verilated_fst_c.h"
#endif
#include <cstdint>
#include <cstring>
#include <memory>
#include <stdexcept>
#include <string>

// Verilator's runtime would abort the process; the harness wants an error it can report.
void vl_fatal(const char* file, int line, const char*, const char* message) VL_MT_UNSAFE {
  throw std::runtime_error(std::string(file) + ":" + std::to_string(line) + ": " + message);
}

namespace {
struct Sim {
  VerilatedContext context;
  std::unique_ptr<Vdut> top;
#if ANSER_TRACE
  std::unique_ptr<VerilatedFstC> trace;
#endif
  std::string error;
};
template <class T> void* storage(T& value) { return &value; }  // a wide port is an array of 32-bit words
template <class F> int guarded(Sim* sim, F call) {
  try {
    call();
    return 0;
  } catch (const std::exception& e) {
    sim->error = e.what();
    return 1;
  }
}
}  // namespace

#define ANSER_API extern "C" __attribute__((visibility("default")))

ANSER_API void* anser_create() {
  auto sim = std::make_unique<Sim>();
#if ANSER_TRACE
  sim->context.traceEverOn(true);
#endif
  sim->top = std::make_unique<Vdut>(&sim->context, "TOP");
  return sim.release();
}

ANSER_API void anser_destroy(void* handle) {
  auto* sim = static_cast<Sim*>(handle);
#if ANSER_TRACE
  if (sim->trace) sim->trace->close();
#endif
  delete sim;
}

ANSER_API int anser_eval(void* handle) {
  auto* sim = static_cast<Sim*>(handle);
  return guarded(sim, [sim] { sim->top->eval(); });
}

ANSER_API void anser_final(void* handle) { static_cast<Sim*>(handle)->top->final(); }

ANSER_API const char* anser_error(void* handle) { return static_cast<Sim*>(handle)->error.c_str(); }

// Calls back once a port: name, storage, bits, bytes of storage, 1 for an input.
ANSER_API void anser_ports(void* handle, void* user, void (*port)(void*, const char*, void*, uint32_t, uint32_t, uint32_t)) {
  auto* top = static_cast<Sim*>(handle)->top.get();
#define ANSER_PORT(name, bits, input) port(user, #name, storage(top->name), bits, sizeof(top->name), input);
  ANSER_PORTS(ANSER_PORT)
}

// 0 if the file was opened, 1 if not, 2 if this build cannot trace.
ANSER_API int anser_trace_open(void* handle, const char* path) {
#if ANSER_TRACE
  auto* sim = static_cast<Sim*>(handle);
  sim->trace = std::make_unique<VerilatedFstC>();
  sim->top->trace(sim->trace.get(), 99);
  const int failed = guarded(sim, [&] { sim->trace->open(path); });
  if (failed || !sim->trace->isOpen()) {
    sim->trace.reset();
    return 1;
  }
  return 0;
#else
  (void)handle;
  (void)path;
  return 2;
#endif
}

ANSER_API void anser_trace_dump(void* handle, uint64_t time) {
#if ANSER_TRACE
  auto* sim = static_cast<Sim*>(handle);
  if (sim->trace) sim->trace->dump(time);
#else
  (void)handle;
  (void)time;
#endif
}

ANSER_API void anser_trace_close(void* handle) {
#if ANSER_TRACE
  auto* sim = static_cast<Sim*>(handle);
  if (sim->trace) sim->trace->close();
  sim->trace.reset();
#else
  (void)handle;
#endif
}
