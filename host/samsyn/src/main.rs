//! The `samsyn` command.

use std::path::Path;
use std::process::ExitCode;

// Deciding an event makes some hundred small values on one thread and drops them on another.
#[global_allocator]
static ALLOCATOR: tikv_jemallocator::Jemalloc = tikv_jemallocator::Jemalloc;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // The host starts itself so to compile an untrusted component within bounds.
    if let [samsyn::host::COMPILE_COMMAND, input, output, memory_bytes, cpu_seconds] = arguments[..] {
        let (Ok(memory_bytes), Ok(cpu_seconds)) = (memory_bytes.parse(), cpu_seconds.parse()) else {
            return ExitCode::from(2);
        };
        return samsyn::sandbox::compile_file(Path::new(input), Path::new(output), memory_bytes, cpu_seconds);
    }
    samsyn::cli::main()
}
