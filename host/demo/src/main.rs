//! `samsyn-demo`, which `samsyn demo` starts: real purchases through real plug-ins, from nothing to a
//! host that can be asked.
//!
//! ```text
//! stage       a data directory of its own, and the built plug-ins
//! host_process `samsyn serve` on it
//! purchases   the data file, read as `samsyn event import` reads it ─┐
//! companions  what is invented around them, from a seed ─────────────┴▶ script, in order of time
//! send        over HTTP, as four applications
//! membership  a system of the company's that a plug-in calls, and what came of that
//! summary     what the host then says; show writes it for people, the story before the numbers
//! percentile  of the host's histograms, interpolated
//! owning      what an administrator does with it: compare, plan, swap and swap back
//! hints       what to try next, also when the host has ended
//! ```

mod companions;
mod hints;
mod host_process;
mod membership;
mod owning;
mod percentile;
mod purchases;
mod script;
mod send;
mod show;
mod stage;
mod summary;

use std::net::TcpListener;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use clap::{Parser, Subcommand};

use self::companions::Cast;
use self::hints::Place;
use self::host_process::HostProcess;
use self::membership::Membership;
use self::script::{Script, Sender};
use self::send::Clients;
use self::stage::{Company, Component, Stage};
use self::summary::{Measured, Summary};
use samsyn_client::{Client, InstallHow};
use samsyn_demo::{DemoArgs, STARTED_BY};
use samsyn_import::for_terminal;
use samsyn_terminal::Stop;
use samsyn_terminal::output::grouped;
use samsyn_terminal::{CliError, Context, GlobalArgs};

/// How often the host is asked whether it is done.
const ASK_EVERY: Duration = Duration::from_millis(20);
/// How long nothing may move before the demo gives up waiting.
const STUCK_AFTER: Duration = Duration::from_secs(60);

/// A host with plug-ins and real purchases, and what came of them
#[derive(Debug, Parser)]
#[command(name = "samsyn-demo", version, max_term_width = 100)]
struct Cli {
    #[command(flatten)]
    globals: GlobalArgs,
    #[command(flatten)]
    demo: DemoArgs,
}

/// The same as `samsyn demo` has it on its command line.
#[derive(Debug, Parser)]
#[command(name = "samsyn", version, max_term_width = 100)]
struct StartedCli {
    #[command(flatten)]
    globals: GlobalArgs,
    #[command(subcommand)]
    command: Started,
}

#[derive(Debug, Subcommand)]
enum Started {
    Demo(DemoArgs),
}

fn main() -> ExitCode {
    // `samsyn` hands its own name and its whole command line on.
    let started_by = std::env::var(STARTED_BY).ok();
    let (globals, args) = match started_by {
        Some(_) => {
            let StartedCli { globals, command: Started::Demo(args) } = StartedCli::parse();
            (globals, args)
        }
        None => {
            let Cli { globals, demo } = Cli::parse();
            (globals, demo)
        }
    };
    let context = Context::new(globals);
    match run(&args, &context, &started_by.unwrap_or_else(|| "samsyn".to_owned())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            context.report(&error);
            error.exit.into()
        }
    }
}

/// Everything is looked for first, then the host starts and the story is told.
fn run(args: &DemoArgs, context: &Context, program: &str) -> Result<(), CliError> {
    let company = stage::plugins(args.plugins.as_deref())?;
    let mut script = Script::default();
    let customers = purchases::read(args.events, &mut script)?;
    let purchases = script.len() as u64;
    let cast = companions::invent(args.seed, &customers, &mut script);
    drop(customers);
    address_is_free(args)?;
    let stage = Stage::take(&args.data)?;
    if stage.replaced {
        context.hint(&format!("{} has an earlier demo: it is replaced", stage.data.display()));
    }
    let stop = Stop::default();
    stop.on_interrupt(|| eprintln!("\nstopping; press Ctrl-C again to stop at once"));
    let mut host = HostProcess::start(&stage.data, args.listen)?;
    let demo = Demo { args, context, program, stage, address: host.address.clone(), stop };
    let played = demo.perform(&host, &company, script, purchases, &cast);
    match (played, host.ended()) {
        (Err(error), Some(how)) => Err(error.because(format!("the demo's host ended: {how}"))),
        (played, _) => played,
    }
}

/// The address is tried before an earlier demo's data goes.
fn address_is_free(args: &DemoArgs) -> Result<(), CliError> {
    match TcpListener::bind(args.listen) {
        Ok(_) => Ok(()),
        Err(cause) => Err(CliError::usage(format!("can't listen on {}", args.listen)).because(cause).next(
            "stop the process that listens there (an earlier demo?), or choose another address: --listen 127.0.0.1:0",
        )),
    }
}

/// A demo whose host runs.
struct Demo<'a> {
    args: &'a DemoArgs,
    context: &'a Context,
    /// `samsyn`, as it was called.
    program: &'a str,
    stage: Stage,
    address: String,
    stop: Stop,
}

impl Demo<'_> {
    fn perform(
        &self,
        host: &HostProcess,
        company: &Company,
        mut script: Script,
        purchases: u64,
        cast: &Cast,
    ) -> Result<(), CliError> {
        self.stage.keep_token(&host.token)?;
        self.context.hint(&format!(
            "a host listens on {}, its data in {}",
            self.address,
            self.stage.data.display()
        ));
        let clients = Clients::new(&self.address, &host.token)?;
        for component in &company.cast {
            self.install(component, clients.of(Sender::Web))?;
        }
        let membership = Membership::open(clients.of(Sender::Web))?;
        self.context.hint(&format!("the company's membership system listens on {}", membership.address()));
        let measured = self.tell(&mut script, purchases, &clients)?;
        // What was sent is no part of the host's memory.
        drop(script);
        self.send_to(&membership, clients.of(Sender::Web))?;
        let mut summary = summary::gather(measured, cast, &clients)?;
        let customer = summary.profile.as_ref().map(|profile| profile.customer_id.clone());
        let played = owning::play(clients.of(Sender::Web), customer.as_deref(), &company.successor)?;
        summary.owning = Some(played);
        summary.membership = Some(membership.agreement(clients.of(Sender::Web))?);
        self.show(&summary, host.id())?;
        let whole = summary.measured.check();
        if !self.args.exit {
            // It is told now, and once more when Ctrl-C ends the host.
            if let Err(missing) = &whole {
                self.context.report(missing);
            }
            self.wait();
        }
        membership.close(clients.of(Sender::Web))?;
        whole
    }

    /// Lets the calls to the membership system leave. They take no part in what was measured.
    fn send_to(&self, membership: &Membership, client: &Client) -> Result<(), CliError> {
        self.context.hint("sending the membership system each customer's tier and opt-out");
        membership.let_calls_leave(client, &self.stop)?;
        self.interrupted()?;
        self.await_decisions(client)
    }

    fn install(&self, component: &Component, client: &Client) -> Result<(), CliError> {
        let plan = client.install(&component.bytes, InstallHow::default())?.body.plan;
        let (own, claims): (Vec<_>, Vec<_>) = plan.sources.iter().partition(|source| source.becomes_source);
        // The first that is installed is the source; the others only make claims.
        let named = |source: &&samsyn_client::wire::PlannedSource| match source.now.as_deref() {
            Some(now) if !source.becomes_source => format!("{} ({now} stays its source)", source.field),
            _ => source.field.clone(),
        };
        let names = |sources: Vec<&samsyn_client::wire::PlannedSource>| {
            sources.iter().map(named).collect::<Vec<_>>().join(", ")
        };
        let mut line = format!("installed {} {}: the source of {}", component.name, plan.version, names(own));
        if !claims.is_empty() {
            line.push_str(&format!("; makes claims for {}", names(claims)));
        }
        self.context.hint(&line);
        Ok(())
    }

    /// Sends everything and waits until it is decided.
    fn tell(&self, script: &mut Script, purchases: u64, clients: &Clients) -> Result<Measured, CliError> {
        let total = script.len() as u64;
        let synthetic = total - purchases;
        self.context.hint(&format!(
            "sending {} real purchases and {} synthetic companion events (seed {})",
            grouped(purchases),
            grouped(synthetic),
            self.args.seed
        ));
        let started = Instant::now();
        let mut progress = for_terminal(Some(total), self.context.quiet || self.context.json);
        let sent = send::send(script, clients, &self.stop, progress.as_mut())?;
        let accepted_seconds = started.elapsed().as_secs_f64();
        drop(progress); // The bar leaves the terminal before anything else is written.
        self.interrupted()?;
        self.await_decisions(clients.of(Sender::Web))?;
        let decided_seconds = started.elapsed().as_secs_f64();
        Ok(Measured {
            seed: self.args.seed,
            accepted_seconds,
            decided_seconds,
            events_per_second: (sent.summary.accepted as f64 / decided_seconds.max(f64::EPSILON)) as u64,
            ..Measured::of(&sent, purchases, synthetic)
        })
    }

    /// Waits until nothing is under way and nobody lags.
    fn await_decisions(&self, client: &Client) -> Result<(), CliError> {
        let mut before = None;
        let mut moved = Instant::now();
        loop {
            let status = client.status()?.body;
            let undecided = status.queue.depth as u64;
            let lag: u64 = status.capabilities.iter().map(|capability| capability.lag).sum();
            if status.settled && lag == 0 {
                return Ok(());
            }
            let now = Some((undecided + lag, status.decided, status.sandboxes));
            if now != before {
                moved = Instant::now();
            } else if moved.elapsed() >= STUCK_AFTER {
                return Err(CliError::refused(format!("{} events stay undecided", grouped(undecided + lag)))
                    .next("run the demo again, and see `samsyn parked list` and `samsyn plugin list`"));
            }
            before = now;
            self.stop.wait(ASK_EVERY);
            self.interrupted()?;
        }
    }

    fn interrupted(&self) -> Result<(), CliError> {
        if self.stop.is_set() {
            return Err(CliError::interrupted("stopped before the end")
                .next("run it again: it starts from the beginning"));
        }
        Ok(())
    }

    fn show(&self, summary: &Summary, host: u32) -> Result<(), CliError> {
        let place = Place {
            program: self.program,
            data: &self.stage.data,
            token_file: &self.stage.token_file(),
            listen: self.args.listen,
            address: &self.address,
            ended: self.args.exit,
        };
        let customer = summary.profile.as_ref().map_or("00001", |profile| profile.customer_id.as_str());
        if self.context.json {
            let mut json = serde_json::to_value(summary).unwrap_or_default();
            json["host"] = self.address.clone().into();
            json["host_process"] = host.into();
            json["data"] = self.stage.data.display().to_string().into();
            json["token_file"] = self.stage.token_file().display().to_string().into();
            json["try_next"] = place.commands(customer).into();
            return self.context.print(&format!("{json}\n"));
        }
        let paint = self.context.paint;
        self.context.print(&(show::text(summary, paint) + &place.text(customer, paint)))
    }

    /// Leaves the host running until Ctrl-C.
    fn wait(&self) {
        const LONG: Duration = Duration::from_secs(24 * 60 * 60);
        while !self.stop.wait(LONG) {}
    }
}
