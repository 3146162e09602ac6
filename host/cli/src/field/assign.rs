//! `samsyn field assign`: a plan is shown and asked about, then carried out. And `samsyn field
//! jobs`: how far telling consumers is.

use clap::Args;

use samsyn_registry::assignment::Mode;
use samsyn_terminal::ask::Consent;
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::output::{Paint, Table, grouped, moment, plain, value_text};
use samsyn_vocabulary::{CapabilityName, FieldName};
use samsyn_wire::request::Assignment;
use samsyn_wire::{AssignmentPlan, FieldAssignmentPlan, Job};

/// Shown in the long help.
pub const ASSIGN_EXAMPLES: &str = "\
Examples:
  samsyn field assign country crm --dry-run
  samsyn field assign country phone crm --reason 'CRM-12: the register knows best'
  samsyn field assign --from crm --all crm2
  samsyn field assign country --none --clear

First the command shows a plan: how many customers' values change, what happens to customers without a
claim by the new source, and which capabilities are notified. After that the claims of the new source are
the visible values. The other claims stay, and only admins see them. Nothing is rewritten, so you can
assign the field back. An opt-out stays in force.";

/// Shown in the long help.
pub const JOBS_EXAMPLES: &str = "\
Example:
  samsyn field jobs

When a field gets another source, the host notifies the field's consumers of each customer whose value
changed. For a million customers this takes a while; after a restart it continues. The list always has the
last change of sources. For one that ended before the host's last start the numbers are not known.";

/// The arguments of `samsyn field assign`.
#[derive(Debug, Clone, Args)]
pub struct AssignArgs {
    /// The fields, then the capability that becomes their source
    #[arg(value_name = "NAME")]
    pub names: Vec<String>,
    /// Leave the fields without a source
    #[arg(long)]
    pub none: bool,
    /// The capability that loses its fields; use it with --all
    #[arg(long, value_name = "CAPABILITY", requires = "all")]
    pub from: Option<CapabilityName>,
    /// All fields of --from
    #[arg(long, requires = "from")]
    pub all: bool,
    /// Customers without a claim by the new source keep their value (the default)
    #[arg(long, conflicts_with = "clear")]
    pub inherit: bool,
    /// Customers without a claim by the new source have no value
    #[arg(long)]
    pub clear: bool,
    /// Only show the plan
    #[arg(long)]
    pub dry_run: bool,
    /// Whether to ask, and why.
    #[command(flatten)]
    pub consent: Consent,
}

impl AssignArgs {
    /// What is asked of the host.
    fn wanted(&self) -> Result<Assignment, CliError> {
        let (to, fields) = match (self.none, self.names.split_last()) {
            (true, _) => (None, self.names.as_slice()),
            (false, Some((to, fields))) => {
                (Some(CapabilityName::new(to).map_err(CliError::usage_of)?), fields)
            }
            (false, None) => {
                return Err(CliError::usage("the capability is missing").next("give it last, or use --none"));
            }
        };
        match (self.all, fields) {
            (false, []) => {
                return Err(CliError::usage("a field and its new source are required")
                    .next("samsyn field assign country crm, or --from crm --all crm2"));
            }
            (true, [first, ..]) => {
                return Err(CliError::usage(format!("{first}: don't name fields with --all")));
            }
            _ => {}
        }
        let fields: Result<_, _> = fields.iter().map(|field| FieldName::new(field)).collect();
        let fields = fields.map_err(CliError::usage_of)?;
        let mode = if self.clear { Mode::Clear } else { Mode::Inherit };
        Ok(Assignment { fields, from: self.from.clone(), all: self.all, to, mode, revision: None })
    }
}

/// Plans, asks and assigns.
pub fn run(args: &AssignArgs, context: &Context) -> Result<(), CliError> {
    let wanted = args.wanted()?;
    let client = context.client()?;
    let plan = client.plan_assignment(&wanted)?;
    if args.dry_run {
        return context.answer(&plan.raw, |paint| plan_text(&plan.body, paint));
    }
    if !args.consent.yes {
        eprint!("{}", plan_text(&plan.body, Paint(context.error_colour)));
    }
    let reason = args.consent.ask("Assign it?", "assigned")?;
    let wanted = Assignment { revision: Some(plan.body.revision), ..wanted };
    let answer = client.assign(&wanted, reason.as_ref())?;
    context.answer(&answer.raw, |_| match answer.body.applied {
        true => format!("assigned, revision {}\n", answer.body.revision),
        false => "nothing to change: the source is the same\n".to_owned(),
    })
}

/// Shows what consumers are told.
pub fn jobs(context: &Context) -> Result<(), CliError> {
    let list = context.client()?.jobs()?;
    context.answer_list(&list, |list, paint| jobs_text(&mut list.items.iter().map(|item| &item.body), paint))
}

fn jobs_text(jobs: &mut dyn Iterator<Item = &Job>, paint: Paint) -> String {
    let mut table =
        Table::new(["REVISION", "STATE", "DONE", "OF", "TOLD", "SINCE", "FIELDS"]).right(&[0, 2, 3, 4]);
    for job in jobs {
        table.row([
            job.revision.to_string(),
            job.state.clone(),
            if job.total == 0 { "-".to_owned() } else { grouped(job.done) },
            if job.total == 0 { "-".to_owned() } else { grouped(job.total) },
            job.told.map_or_else(|| "-".to_owned(), grouped),
            moment(&job.started_at),
            job.fields.join(", "),
        ]);
    }
    if table.is_empty() {
        return "no field has changed its source yet\n".to_owned();
    }
    table.render(paint)
}

/// The plan as an admin reads it before deciding.
fn plan_text(plan: &AssignmentPlan<'_>, paint: Paint) -> String {
    if plan.unchanged {
        return "nothing would change\n".to_owned();
    }
    plan.fields.iter().map(|field| field_text(field, paint)).collect()
}

fn field_text(plan: &FieldAssignmentPlan<'_>, paint: Paint) -> String {
    let name = |capability: &Option<String>| capability.as_deref().map_or("nobody".to_owned(), plain);
    let title = format!("{}: {} -> {}", plain(&plan.field), name(&plan.from), name(&plan.to));
    format!("{}\n{}", paint.strong(&title), counts_text(plan))
}

/// The customers that a move of one field affects, a line for each count.
pub fn counts_text(plan: &FieldAssignmentPlan<'_>) -> String {
    let mut text = String::new();
    let mut line = |number: u64, what: &str| {
        if number > 0 {
            text.push_str(&format!("  {:>12} {what}\n", grouped(number)));
        }
    };
    if plan.unchanged {
        text.push_str("  nothing changes\n");
        return text;
    }
    line(plan.changed, "customers get another value");
    line(
        plan.without_claim.inherit,
        "customers keep the value of an earlier source: the new source has no claim for them",
    );
    line(plan.without_claim.none, "customers lose their value: the new source has no claim for them");
    line(plan.opt_outs, "opt-outs stay in force");
    line(plan.held, "waiting proposals go to the new source");
    line(plan.uncounted, "customers have too many claims to be counted exactly");
    for consumer in &plan.consumers {
        line(consumer.profiles, &format!("customers' changes are sent to {}", plain(&consumer.capability)));
    }
    if plan.changed == 0 {
        text.push_str("  no customer's value changes\n");
    }
    for sample in &plan.samples {
        let (before, after) = (value_text(&sample.before.to_json()), value_text(&sample.after.to_json()));
        text.push_str(&format!(
            "  {}  {} -> {}\n",
            plain(&sample.profile.to_string()),
            plain(&before),
            plain(&after)
        ));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: AssignArgs,
    }

    fn wanted(line: &str) -> Result<Assignment, CliError> {
        Line::try_parse_from(format!("assign {line}").split(' '))
            .map_err(|_| CliError::usage("no"))?
            .args
            .wanted()
    }

    #[test]
    fn the_capability_stands_last() {
        let two = wanted("country phone crm").unwrap();
        let name = |name: &str| Some(CapabilityName::new(name).unwrap());
        assert_eq!((two.fields.len(), two.to, two.mode), (2, name("crm"), Mode::Inherit));
        let none = wanted("country --none --clear").unwrap();
        assert_eq!((none.fields.len(), none.to, none.mode), (1, None, Mode::Clear));
        let all = wanted("--from crm --all crm2").unwrap();
        assert_eq!((all.fields.len(), all.from, all.to), (0, name("crm"), name("crm2")));
        for bad in [
            "country",
            "--none",
            "--from crm crm2",
            "--all crm2",
            "country --from crm --all crm2",
            "country crm --inherit --clear",
            "Country crm",
            "country CRM",
        ] {
            assert!(wanted(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_plan_says_who_is_concerned_and_how_many() {
        let plan: AssignmentPlan<'_> = serde_json::from_str(
            r#"{"revision": 7, "mode": "inherit", "unchanged": false, "fields": [
                {"field": "country", "from": "crm", "to": "sms", "inherits": ["crm"], "unchanged": false,
                 "changed": 1200, "without_claim": {"profiles": 30, "inherit": 30, "none": 0}, "opt_outs": 0,
                 "held": 2, "consumers": [{"capability": "email", "profiles": 1200}],
                 "samples": [{"profile": "ab", "before": "SE", "after": null}]}]}"#,
        )
        .unwrap();
        assert_eq!(
            plan_text(&plan, Paint(false)),
            "country: crm -> sms\n\
             \x20        1,200 customers get another value\n\
             \x20           30 customers keep the value of an earlier source: the new source has no claim for them\n\
             \x20            2 waiting proposals go to the new source\n\
             \x20        1,200 customers' changes are sent to email\n\
             \x20 ab  SE -> -\n"
        );
    }
}
