//! The demo's host: `samsyn serve`, started as a process of its own, as anybody starts it.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};
use samsyn_terminal::CliError;
use samsyn_terminal::error::file_error;
use serde::Deserialize;

/// The demo's settings, beside what its host keeps.
pub const CONFIG_FILE: &str = "demo.toml";
/// Nobody is there to accept what the plug-ins bring; a host of one's own waits for that.
const CONFIG: &str = "log_filter = \"warn\"\n\n[registry]\naccept_new_fields = true\n";
/// What begins so in the environment is a setting, and meant for another host.
const SETTINGS_PREFIX: &str = "SAMSYN_";

/// A host that runs. It ends with this value.
#[derive(Debug)]
pub struct HostProcess {
    child: Child,
    /// Its address, such as `http://127.0.0.1:7400`.
    pub address: String,
    /// Its first admin token.
    pub token: String,
}

/// What `samsyn serve --json` prints when it listens.
#[derive(Deserialize)]
struct Listening {
    listening: String,
    token: Option<String>,
}

impl HostProcess {
    /// Starts a host on an empty data directory and waits until it listens. What it has to say goes to
    /// standard error.
    pub fn start(data: &Path, listen: SocketAddr) -> Result<HostProcess, CliError> {
        let config = data.join(CONFIG_FILE);
        fs::write(&config, CONFIG).map_err(|cause| file_error("write", &config, &cause))?;
        let program = samsyn_demo::program("samsyn");
        let mut command = Command::new(&program);
        for (name, _) in std::env::vars_os() {
            if name.to_str().is_some_and(|name| name.starts_with(SETTINGS_PREFIX)) {
                command.env_remove(name);
            }
        }
        command.args(["serve", "--json", "--new-admin-token", "--config"]).arg(config);
        command.arg("--data").arg(data).args(["--listen", &listen.to_string()]);
        // In a group of its own: Ctrl-C is for the demo, which then stops its host.
        command.stdout(Stdio::piped()).stdin(Stdio::null()).process_group(0);
        #[cfg(target_os = "linux")]
        // SAFETY: between fork and exec only one system call is made, which takes no lock and no memory.
        unsafe {
            command.pre_exec(|| {
                // A demo that is killed leaves no host behind.
                rustix::process::set_parent_process_death_signal(Some(Signal::TERM))?;
                Ok(())
            });
        }
        let mut child = command.spawn().map_err(|cause| {
            CliError::usage(format!("can't start {}", program.display()))
                .because(cause)
                .next("build `samsyn` too: `make demo` does, in the project's folder")
        })?;
        let mut line = String::new();
        if let Some(out) = child.stdout.take() {
            let mut out = BufReader::new(out);
            // When it can't start it has said why on standard error, and this is the end of its output.
            let _ = out.read_line(&mut line);
            // It says nothing more; a pipe without a reader would end it if it did.
            std::thread::spawn(move || out.read_to_end(&mut Vec::new()));
        }
        let said: Option<Listening> = serde_json::from_str(&line).ok();
        match said {
            Some(Listening { listening, token: Some(token) }) => {
                Ok(HostProcess { child, address: listening, token })
            }
            _ => {
                let _ = child.kill();
                let ended = child.wait().map_or_else(|cause| cause.to_string(), |status| status.to_string());
                Err(CliError::refused("the host didn't start")
                    .because(format!("{} serve: {ended}", program.display()))
                    .next("what it said stands above; fix that and run the demo again"))
            }
        }
    }

    /// The number of its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Whether it runs; else how it ended.
    pub fn ended(&mut self) -> Option<String> {
        self.child.try_wait().ok().flatten().map(|status| status.to_string())
    }
}

impl Drop for HostProcess {
    /// Stops the host as `systemctl stop` does, and waits until it has ended.
    fn drop(&mut self) {
        if let Some(pid) = Pid::from_raw(self.child.id() as i32)
            && self.ended().is_none()
        {
            let _ = kill_process(pid, Signal::TERM);
        }
        let _ = self.child.wait();
    }
}
