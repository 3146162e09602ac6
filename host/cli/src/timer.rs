//! `samsyn timer`: the timers that plug-ins have set.

use clap::{Args, Subcommand};

use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::output::{Paint, Table, grouped, moment, plain};
use samsyn_vocabulary::{CapabilityName, ProfileId};
use samsyn_wire::{Timer, TimersResumed};

/// The commands of `samsyn timer`.
#[derive(Debug, Subcommand)]
pub enum TimerCommand {
    /// List timers, in the order in which they fire
    #[command(after_long_help = LIST_EXAMPLES)]
    List(ListArgs),
    /// Let timers fire that the host holds because its clock may be wrong
    #[command(after_long_help = RESUME_EXAMPLES)]
    Resume,
}

const LIST_EXAMPLES: &str = "\
Examples:
  samsyn timer list
  samsyn timer list --capability loyalty --limit 20
  samsyn timer list --profile 6f1d1e7e-1f5c-4e0a-9d6c-0f6a1f2f7a11 --json

A capability sets timers; nobody else can. `samsyn status` says how late they are.";

const RESUME_EXAMPLES: &str = "\
The host holds all timers when its clock goes ahead by more than an hour at once, and when it starts more than
a day after its newest record. `samsyn status` says so.

Example, when the clock is right:
  samsyn timer resume

Timers that became due meanwhile fire at a bounded rate, oldest first.";

/// The arguments of `samsyn timer list`.
#[derive(Debug, Clone, Args)]
pub struct ListArgs {
    /// Only of this capability
    #[arg(long, value_name = "NAME")]
    pub capability: Option<CapabilityName>,
    /// Only of this profile
    #[arg(long, value_name = "ID")]
    pub profile: Option<ProfileId>,
    /// Show at most this many
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub limit: u64,
}

/// Runs a command of `samsyn timer`.
pub fn run(command: &TimerCommand, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    match command {
        TimerCommand::List(args) => {
            let capability = args.capability.as_ref().map(|name| ("capability", name.to_string()));
            let profile = args.profile.map(|profile| ("profile", profile.to_string()));
            let filters: Vec<(&'static str, String)> = capability.into_iter().chain(profile).collect();
            let list = client.timers(&filters, usize::try_from(args.limit).unwrap_or(usize::MAX))?;
            context.answer_list(&list, |list, paint| {
                timers_text(&mut list.items.iter().map(|item| &item.body), paint)
            })
        }
        TimerCommand::Resume => {
            let answer = client.resume_timers()?;
            context.answer(&answer.raw, |_| resumed_text(&answer.body))
        }
    }
}

fn timers_text(timers: &mut dyn Iterator<Item = &Timer>, paint: Paint) -> String {
    let mut table = Table::new(["FIRES", "CAPABILITY", "TIMER", "PROFILE"]);
    for timer in timers {
        table.row([
            moment(&timer.fires_at),
            timer.capability.clone(),
            timer.name.clone(),
            timer.profile.to_string(),
        ]);
    }
    if table.is_empty() { "no timer is set\n".to_owned() } else { table.render(paint) }
}

fn resumed_text(TimersResumed { was_held, pending }: &TimersResumed) -> String {
    let pending =
        if *pending == 1 { "1 timer is".to_owned() } else { format!("{} timers are", grouped(*pending)) };
    match was_held {
        Some(why) => format!("timers fire again; they were held because {}; {pending} set\n", plain(why)),
        None => format!("timers were not held; {pending} set\n"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_shows_what_fires_when() {
        let timers: Vec<Timer> = serde_json::from_str(
            r#"[{"fires_at": "2026-12-24T10:00:00Z", "profile": "p1", "capability": "loyalty", "generation": 1,
                 "name": "tier-expires"}]"#,
        )
        .unwrap();
        let text = timers_text(&mut timers.iter(), Paint(false));
        assert!(text.contains("2026-12-24 10:00:00  loyalty     tier-expires  p1"), "{text}");
        assert_eq!(timers_text(&mut std::iter::empty(), Paint(false)), "no timer is set\n");
    }

    #[test]
    fn resuming_says_what_held_them() {
        let resumed = |was_held: Option<&str>, pending| TimersResumed {
            was_held: was_held.map(str::to_owned),
            pending,
        };
        assert_eq!(resumed_text(&resumed(None, 1)), "timers were not held; 1 timer is set\n");
        assert_eq!(
            resumed_text(&resumed(Some("the clock went 90 minutes ahead at once"), 1_200)),
            "timers fire again; they were held because the clock went 90 minutes ahead at once; 1,200 timers are set\n"
        );
    }
}
