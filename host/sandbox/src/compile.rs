//! From a component to machine code, within bounds.
//!
//! A compiler's time and memory grow with what it is given, and it can't be stopped from within
//! its own process. So the host has itself started as a child that does nothing else, under the
//! operating system's limits, and kills it when its time is up. Tests compile in their own
//! process.

use std::ffi::OsString;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use super::config;
use super::error::PackageError;
use super::limits::Limits;

/// How often a compiling child is asked whether it is done.
const POLL: Duration = Duration::from_millis(5);

/// How much of what a failed child wrote is read, in bytes.
const STDERR_BYTES_MAX: u64 = 4 << 10;

/// A compiling child's answer: the component is not valid.
const EXIT_INVALID: u8 = 1;
/// A compiling child's answer: the component is not to blame.
const EXIT_UNAVAILABLE: u8 = 3;

/// Where components are compiled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Compiler {
    /// In this process, without a bound on time or memory: for tests and trusted components.
    InProcess,
    /// In a child process. It is started as `program arguments… INPUT OUTPUT MEMORY_BYTES
    /// CPU_SECONDS`, without environment, and must end with what [`compile_file`] answers.
    Child {
        /// The program, usually `std::env::current_exe()`.
        program: PathBuf,
        /// What makes it compile, such as the name of a hidden command.
        arguments: Vec<OsString>,
    },
}

/// Compiles a component to code that only the same build of this host, on the same kind of
/// machine, can load. Time and memory are not bounded.
pub fn compile_to(component: &[u8]) -> Result<Vec<u8>, PackageError> {
    let engine = config::compiling()
        .map_err(|error| PackageError::CompilerUnavailable { reason: format!("{error:#}") })?;
    engine.precompile_component(component).map_err(PackageError::engine)
}

/// What a compiling child does: limits itself, compiles one file into another, and ends with the
/// answer; what went wrong is on standard error. Limits that the operating system doesn't know
/// are left out; the parent's clock still runs.
pub fn compile_file(input: &Path, output: &Path, memory_bytes: u64, cpu_seconds: u64) -> ExitCode {
    let compiled = limit_this_process(memory_bytes, cpu_seconds)
        .map_err(unavailable("limiting the compiler"))
        .and_then(|()| std::fs::read(input).map_err(unavailable("reading the component")))
        .and_then(|component| compile_to(&component))
        .and_then(|code| std::fs::write(output, code).map_err(unavailable("writing the code")));
    let (exit, reason) = match compiled {
        Ok(()) => return ExitCode::SUCCESS,
        Err(PackageError::Invalid { reason }) => (EXIT_INVALID, reason),
        Err(PackageError::CompilerUnavailable { reason }) => (EXIT_UNAVAILABLE, reason),
        Err(other) => (EXIT_UNAVAILABLE, other.to_string()),
    };
    // The parent reads it; without a parent there is nobody to tell.
    let _ = std::io::stderr().write_all(reason.as_bytes());
    ExitCode::from(exit)
}

#[cfg(unix)]
fn limit_this_process(memory_bytes: u64, cpu_seconds: u64) -> std::io::Result<()> {
    use rlimit::Resource;
    for (resource, limit) in [(Resource::AS, memory_bytes), (Resource::CPU, cpu_seconds), (Resource::CORE, 0)]
    {
        if resource.is_supported() {
            let (_, hard) = resource.get()?;
            let limit = limit.min(hard);
            resource.set(limit, limit)?;
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn limit_this_process(_: u64, _: u64) -> std::io::Result<()> {
    Ok(())
}

impl Compiler {
    /// The component as code for this host.
    pub(super) fn compile(&self, component: &[u8], limits: &Limits) -> Result<Vec<u8>, PackageError> {
        match self {
            Compiler::InProcess => compile_to(component),
            Compiler::Child { program, arguments } => {
                let directory = ScratchDirectory::new().map_err(unavailable("making a directory"))?;
                let (input, output) = (directory.0.join("component"), directory.0.join("code"));
                std::fs::write(&input, component).map_err(unavailable("writing the component"))?;
                let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get) as u64;
                let child = Command::new(program)
                    .args(arguments)
                    .args([&input, &output])
                    .arg(limits.compile_memory_bytes.to_string())
                    // Should this process end, the child's own limit still ends the child.
                    .arg((limits.compile_time_ms.div_ceil(1000) * cores).to_string())
                    .env_clear()
                    .stdin(Stdio::null())
                    .stdout(Stdio::null())
                    .stderr(Stdio::piped())
                    .spawn()
                    .map_err(unavailable("starting the compiler"))?;
                wait(child, limits)?;
                std::fs::read(&output).map_err(unavailable("reading the code"))
            }
        }
    }
}

fn wait(mut child: Child, limits: &Limits) -> Result<(), PackageError> {
    let deadline = Instant::now() + Duration::from_millis(limits.compile_time_ms);
    let status = loop {
        if let Some(status) = child.try_wait().map_err(unavailable("waiting for the compiler"))? {
            break status;
        }
        if Instant::now() >= deadline {
            // It may have ended by itself since; either way nothing is left behind.
            let _ = child.kill();
            let _ = child.wait();
            let reason = format!("it took longer than {} ms", limits.compile_time_ms);
            return Err(PackageError::CompileLimit { reason });
        }
        std::thread::sleep(POLL);
    };
    let mut said = String::new();
    if let Some(stderr) = child.stderr.take() {
        // What it said is only for the message; a child that failed has failed without it too.
        let _ = stderr.take(STDERR_BYTES_MAX).read_to_string(&mut said);
    }
    judge(status, said.trim(), limits)
}

/// Signals that end a child at a limit: killed for want of memory, out of memory in an allocation
/// (abort), out of CPU time.
const LIMIT_SIGNALS: [i32; 3] = [9, 6, 24];

/// What a program of Rust ends with when it panics.
const EXIT_PANICKED: i32 = 101;

/// How it says that the system gave it no more threads.
const NO_THREADS: &str = "Resource temporarily unavailable";

/// A child that refused the component says why; one that the system stopped ran into a limit; any other
/// end is the compiler's own fault.
fn judge(status: ExitStatus, said: &str, limits: &Limits) -> Result<(), PackageError> {
    match status.code() {
        Some(0) => Ok(()),
        Some(code) if code == i32::from(EXIT_INVALID) => Err(PackageError::invalid(said)),
        Some(code) if code == i32::from(EXIT_UNAVAILABLE) => {
            Err(PackageError::CompilerUnavailable { reason: said.to_owned() })
        }
        _ if is_at_limit(status, said) => {
            let memory = limits.compile_memory_bytes;
            let reason = format!(
                "the compiler ended ({status}); it may use {memory} bytes of address space (compile_memory_bytes)"
            );
            Err(PackageError::CompileLimit { reason })
        }
        _ => Err(PackageError::CompilerFailed { reason: last_words(status, said) }),
    }
}

fn is_at_limit(status: ExitStatus, said: &str) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::process::ExitStatusExt;
        if status.signal().is_some_and(|signal| LIMIT_SIGNALS.contains(&signal)) {
            return true;
        }
    }
    // A panic without a message: there was no memory left for one.
    status.code() == Some(EXIT_PANICKED) && (said.is_empty() || said.contains(NO_THREADS))
}

/// What a panic said, without where in which file; how the child ended when it said nothing.
fn last_words(status: ExitStatus, said: &str) -> String {
    let message = said.lines().skip_while(|line| !line.contains("panicked at ")).skip(1);
    let message: Vec<&str> = message.take_while(|line| !line.starts_with("note: ")).collect();
    if message.is_empty() { format!("it ended with {status}") } else { message.join(" ") }
}

fn unavailable(doing: &'static str) -> impl Fn(std::io::Error) -> PackageError {
    move |error| PackageError::CompilerUnavailable { reason: format!("{doing}: {error}") }
}

/// A directory that is gone when this is dropped.
struct ScratchDirectory(PathBuf);

impl ScratchDirectory {
    fn new() -> std::io::Result<ScratchDirectory> {
        let path = std::env::temp_dir().join(format!("samsyn-compile-{}", uuid::Uuid::new_v4()));
        std::fs::create_dir(&path)?;
        Ok(ScratchDirectory(path))
    }
}

impl Drop for ScratchDirectory {
    fn drop(&mut self) {
        // Left-over files in the temporary directory are the operating system's to clean up.
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
