//! `samsyn field claims | disagreements`: the claims for a field, and how far capabilities agree.

use clap::Args;
use samsyn_wire::{FieldDisagreements, ProfileClaims};

use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::output::{Paint, Table, grouped, moment, plain, value_text};

/// Shown in the long help.
pub const CLAIMS_EXAMPLES: &str = "\
Examples:
  samsyn field claims country --limit 20
  samsyn field claims country --profile customer_id:00042";

/// Shown in the long help.
pub const DISAGREEMENTS_EXAMPLES: &str = "\
Examples:
  samsyn field disagreements
  samsyn field disagreements country

The list has each pair of capabilities that make claims for the same field: for how many customers both
have a value, and on how many they agree and differ. The field's `compare` decides which values are equal.";

/// The arguments of `samsyn field claims`.
#[derive(Debug, Clone, Args)]
pub struct ClaimsArgs {
    /// The field
    pub field: String,
    /// Only of this profile: a profile id, or identifier:value
    #[arg(long, value_name = "REF")]
    pub profile: Option<String>,
    /// Show at most this many profiles
    #[arg(long, value_name = "N", default_value_t = 100, value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub limit: u64,
}

/// The arguments of `samsyn field disagreements`.
#[derive(Debug, Clone, Args)]
pub struct DisagreementsArgs {
    /// The field [default: every field that two capabilities make claims for]
    pub field: Option<String>,
}

/// Shows what everybody says of a field.
pub fn claims(args: &ClaimsArgs, context: &Context) -> Result<(), CliError> {
    let limit = usize::try_from(args.limit).unwrap_or(usize::MAX);
    let list = context.client()?.claims(&args.field, args.profile.as_deref(), limit)?;
    context
        .answer_list(&list, |list, paint| claims_text(&mut list.items.iter().map(|item| &item.body), paint))
}

/// Shows how far capabilities agree.
pub fn disagreements(args: &DisagreementsArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    match &args.field {
        Some(field) => {
            let answer = client.disagreements_of(field)?;
            context.answer(&answer.raw, |paint| disagreements_text(&mut std::iter::once(&answer.body), paint))
        }
        None => {
            let list = client.disagreements()?;
            context.answer_list(&list, |list, paint| {
                disagreements_text(&mut list.items.iter().map(|item| &item.body), paint)
            })
        }
    }
}

fn claims_text(profiles: &mut dyn Iterator<Item = &ProfileClaims<'static>>, paint: Paint) -> String {
    let mut table = Table::new(["PROFILE", "BY", "VALUE", "VISIBLE", "SINCE"]);
    for profile in profiles {
        for claim in &profile.claims {
            let seen = if claim.visible { "yes" } else { "" };
            table.row([
                profile.profile.to_string(),
                claim.by.to_string(),
                value_text(&claim.value.to_json()),
                seen.to_owned(),
                moment(&claim.observed_at),
            ]);
        }
    }
    if table.is_empty() {
        return "no capability makes a claim for it\n".to_owned();
    }
    table.render(paint)
}

fn disagreements_text(
    fields: &mut dyn Iterator<Item = &FieldDisagreements<'static>>,
    paint: Paint,
) -> String {
    let mut table =
        Table::new(["FIELD", "SOURCE", "BETWEEN", "BOTH HAVE A VALUE", "AGREE", "DIFFER"]).right(&[3, 4, 5]);
    let mut samples = String::new();
    for of in fields {
        for pair in &of.pairs {
            table.row([
                of.field.to_string(),
                of.source.as_deref().unwrap_or("-").to_owned(),
                format!("{} and {}", pair.one, pair.other),
                grouped(pair.both),
                grouped(pair.agree),
                grouped(pair.differ),
            ]);
            for sample in &pair.samples {
                let (one, other) = (value_text(&sample.one.to_json()), value_text(&sample.other.to_json()));
                samples.push_str(&format!(
                    "{}  {}: {} claims {}, {} claims {}\n",
                    plain(&of.field),
                    plain(&sample.profile.to_string()),
                    plain(&pair.one),
                    plain(&one),
                    plain(&pair.other),
                    plain(&other)
                ));
            }
        }
    }
    if table.is_empty() {
        return "no two capabilities make claims for the same field\n".to_owned();
    }
    let gap = if samples.is_empty() { "" } else { "\n" };
    format!("{}{gap}{samples}", table.render(paint))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_counts_and_the_lines_show() {
        let of: FieldDisagreements<'static> = serde_json::from_str(
            r#"{"field": "country", "source": "crm", "compare": "exact", "pairs": [
                {"one": "crm", "other": "sms", "both": 1500, "agree": 1499, "differ": 1,
                 "samples": [{"profile": "ab", "one": "SE", "other": null}]}]}"#,
        )
        .unwrap();
        assert_eq!(
            disagreements_text(&mut std::iter::once(&of), Paint(false)),
            "FIELD    SOURCE  BETWEEN      BOTH HAVE A VALUE  AGREE  DIFFER\n\
             country  crm     crm and sms              1,500  1,499       1\n\
             \ncountry  ab: crm claims SE, sms claims -\n"
        );
    }
}
