//! `samsyn secret`: secrets, whose values come in and never go out.

use std::fs::File;
use std::io::{IsTerminal, Read};
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use samsyn_secrets::{SecretValue, VALUE_BYTES_MAX, ValueError};
use samsyn_terminal::ask::{Consent, Why};
use samsyn_terminal::context::Context;
use samsyn_terminal::error::{CliError, file_error};
use samsyn_terminal::output::{Paint, Table, moment, pairs, plain};
use samsyn_vocabulary::SecretName;
use samsyn_wire::Secret;

/// The commands of `samsyn secret`.
#[derive(Debug, Subcommand)]
pub enum SecretCommand {
    /// List all secrets, without their values
    #[command(after_long_help = LIST_EXAMPLES)]
    List,
    /// Set a secret's first value
    #[command(after_long_help = SET_EXAMPLES)]
    Set(SetArgs),
    /// Give a secret a new value; the old one stays in use until you retire it
    #[command(after_long_help = ROTATE_EXAMPLES)]
    Rotate(RotateArgs),
    /// End the old value of a rotated secret, or remove the secret
    #[command(after_long_help = RETIRE_EXAMPLES)]
    Retire(RetireArgs),
    /// Check that the host has the value of every secret
    #[command(after_long_help = CHECK_EXAMPLES)]
    Check(CheckArgs),
}

const LIST_EXAMPLES: &str = "\
Examples:
  samsyn secret list
  samsyn secret list --json

The fingerprint is a short name of the value: equal values have equal fingerprints. Nobody can compute the
value from it.";

const SET_EXAMPLES: &str = "\
Examples:
  samsyn secret set crm_token --file token.txt
  pass show crm/token | samsyn secret set crm_token --trim
  samsyn secret set crm_token --mounted

The value comes from a file or from standard input, never from the command line: other users of the machine
can read that. It is one line of UTF-8 text of at most 64 KiB, without white space around it. Use `set` also
if the host lost the value, for example after a restore.";

const ROTATE_EXAMPLES: &str = "\
Examples:
  samsyn secret rotate crm_token --file new-token.txt
  pass show crm/token | samsyn secret rotate crm_token --trim

The host sends the new value immediately, and accepts both. When the other system no longer uses the old
value: samsyn secret retire crm_token";

const RETIRE_EXAMPLES: &str = "\
Examples:
  samsyn secret retire crm_token
  samsyn secret retire crm_token --all --yes

Without --all the newest value stays. With --all the secret itself is removed, if nothing uses it.";

const CHECK_EXAMPLES: &str = "\
Examples:
  samsyn secret check
  samsyn secret check crm_token sms_key --json

Exit codes:
  0  the host has the value of each
  1  a value is missing or can't be used, or there is no such secret
  2  invalid command line or address
  3  no host answers";

/// Where a value comes from.
#[derive(Debug, Clone, Args)]
pub struct ValueArgs {
    /// The file with the value [default: standard input]
    #[arg(long, short, value_name = "FILE")]
    pub file: Option<PathBuf>,
    /// Remove white space around the value, such as the line feed at the end of a file
    #[arg(long)]
    pub trim: bool,
    /// Taken so that it can be refused without being repeated.
    #[arg(hide = true, value_name = "VALUE")]
    pub value: Option<String>,
}

/// The arguments of `samsyn secret set`.
#[derive(Debug, Clone, Args)]
pub struct SetArgs {
    /// The secret's name, which is not secret
    pub name: SecretName,
    #[command(flatten)]
    pub value: ValueArgs,
    /// The value is a file of this name in the directory of the setting secrets.mounted
    #[arg(long, conflicts_with_all = ["file", "trim", "value"])]
    pub mounted: bool,
    #[command(flatten)]
    pub why: Why,
}

/// The arguments of `samsyn secret rotate`.
#[derive(Debug, Clone, Args)]
pub struct RotateArgs {
    /// The secret's name
    pub name: SecretName,
    #[command(flatten)]
    pub value: ValueArgs,
    #[command(flatten)]
    pub why: Why,
}

/// The arguments of `samsyn secret retire`.
#[derive(Debug, Clone, Args)]
pub struct RetireArgs {
    /// The secret's name
    pub name: SecretName,
    /// Remove the secret itself, with all its values
    #[arg(long)]
    pub all: bool,
    /// Whether to ask, and why.
    #[command(flatten)]
    pub consent: Consent,
}

/// The arguments of `samsyn secret check`.
#[derive(Debug, Clone, Args)]
pub struct CheckArgs {
    /// The secrets to check [default: all]
    pub names: Vec<SecretName>,
}

/// Runs a command of `samsyn secret`.
pub fn run(command: &SecretCommand, context: &Context) -> Result<(), CliError> {
    match command {
        SecretCommand::List => {
            let list = context.client()?.secrets()?;
            context.answer_list(&list, |list, paint| {
                list_text(&mut list.items.iter().map(|item| &item.body), paint)
            })
        }
        SecretCommand::Set(args) => set(args, context),
        SecretCommand::Rotate(args) => {
            let value = read_value(&args.value, "rotate", &args.name)?;
            let reason = args.why.reason.as_ref();
            let answer = context.client()?.rotate_secret(&args.name, value.expose(), reason)?;
            context.answer(&answer.raw, |paint| secret_text(&answer.body, paint))?;
            context.hint(&format!(
                "when nobody uses the old value any more: samsyn secret retire {}",
                args.name
            ));
            Ok(())
        }
        SecretCommand::Retire(args) => retire(args, context),
        SecretCommand::Check(args) => check(args, context),
    }
}

fn set(args: &SetArgs, context: &Context) -> Result<(), CliError> {
    let reason = args.why.reason.as_ref();
    let answer = match args.mounted {
        true => context.client()?.name_secret(&args.name, reason)?,
        false => {
            let value = read_value(&args.value, "set", &args.name)?;
            context.client()?.set_secret(&args.name, value.expose(), reason)?
        }
    };
    context.answer(&answer.raw, |paint| secret_text(&answer.body, paint))
}

fn retire(args: &RetireArgs, context: &Context) -> Result<(), CliError> {
    let client = context.client()?;
    let question = match args.all {
        true => format!("Remove the secret {} with all its values?", args.name),
        false => format!("End the old value of {}? The host no longer accepts it.", args.name),
    };
    let reason = args.consent.ask(&question, if args.all { "removed" } else { "retired" })?;
    if args.all {
        client.remove_secret(&args.name, reason.as_ref())?;
        return if context.json { Ok(()) } else { context.print(&format!("removed {}\n", args.name)) };
    }
    let answer = client.retire_secret(&args.name, reason.as_ref())?;
    context.answer(&answer.raw, |paint| secret_text(&answer.body, paint))
}

fn check(args: &CheckArgs, context: &Context) -> Result<(), CliError> {
    let mut list = context.client()?.secrets()?;
    let is_meant =
        |name: &str| args.names.is_empty() || args.names.iter().any(|meant| meant.as_str() == name);
    list.items.retain(|item| is_meant(&item.body.name));
    context
        .answer_list(&list, |list, paint| list_text(&mut list.items.iter().map(|item| &item.body), paint))?;
    let bad: Vec<String> = list.items.iter().filter_map(|item| trouble(&item.body)).collect();
    let there = |name: &&SecretName| list.items.iter().any(|item| item.body.name == name.as_str());
    let unknown = args.names.iter().filter(|name| !there(name));
    let unknown =
        unknown.map(|name| format!("{name}: there is no such secret: samsyn secret set {name} --file FILE"));
    let bad: Vec<String> = bad.into_iter().chain(unknown).collect();
    if bad.is_empty() {
        return Ok(());
    }
    let what = match bad.len() {
        1 => "1 secret has no usable value".to_owned(),
        more => format!("{more} secrets have no usable value"),
    };
    let mut error = CliError::refused(what).next("do for each what stands behind it");
    error.causes = bad;
    Err(error)
}

/// What is wrong with a secret, and what to do. One of two versions can be unusable, too.
fn trouble(secret: &Secret) -> Option<String> {
    if secret.state != "ok" {
        let [reason, next] = [&secret.reason, &secret.next].map(|text| text.clone().unwrap_or_default());
        return Some(format!("{}: {reason}; {next}", secret.name));
    }
    let older = secret.versions.iter().find(|version| version.state != "ok")?;
    let (name, number, state) = (&secret.name, older.version, &older.state);
    Some(format!("{name}: its old value (version {number}) is {state}; end it: samsyn secret retire {name}"))
}

/// Reads the value. It is checked here, too, so that what a file adds is found before it is sent.
fn read_value(args: &ValueArgs, command: &str, name: &SecretName) -> Result<SecretValue, CliError> {
    let piped = format!("IFS= read -rs VALUE && printf %s \"$VALUE\" | samsyn secret {command} {name}");
    if args.value.is_some() {
        return Err(CliError::usage(
            "a value on the command line can be read by other users, and stays in the shell's history",
        )
        .because("it was not sent; give the secret another value if somebody may have seen this one")
        .next(format!("use --file FILE, or type it without showing it: {piped}")));
    }
    let bytes = match &args.file {
        Some(path) => read_bytes(open(path)?).map_err(|cause| file_error("read", path, &cause))?,
        None if std::io::stdin().is_terminal() => {
            return Err(CliError::usage("the value would be shown while you type it")
                .next(format!("use --file FILE, or type it without showing it: {piped}")));
        }
        None => read_bytes(std::io::stdin().lock())
            .map_err(|cause| CliError::usage("can't read standard input").because(cause))?,
    };
    let value = if args.trim { SecretValue::trimmed(bytes) } else { SecretValue::new(bytes) };
    value.map_err(|error| {
        let next = match error {
            ValueError::LineFeedAtEnd | ValueError::WhiteSpaceAtEnd { .. } => {
                "add --trim to remove white space around the value, or write it with `printf %s`"
            }
            _ => error.next_step(),
        };
        CliError::usage(format!("the value can't be a secret: {error}")).next(next)
    })
}

fn open(path: &Path) -> Result<File, CliError> {
    File::open(path).map_err(|cause| file_error("read", path, &cause))
}

/// No more than shows that there is too much. There is room for all of it, so that no copy is left behind.
fn read_bytes(from: impl Read) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(VALUE_BYTES_MAX + 2);
    from.take(VALUE_BYTES_MAX as u64 + 1).read_to_end(&mut bytes)?;
    Ok(bytes)
}

fn list_text(secrets: &mut dyn Iterator<Item = &Secret>, paint: Paint) -> String {
    let mut table = Table::new(["SECRET", "STATE", "VERSIONS", "FINGERPRINT", "SET", "BY", "USED BY"]);
    let mut notes = String::new();
    for secret in secrets {
        let newest = secret.versions.last();
        table.row([
            secret.name.clone(),
            secret.state.clone(),
            versions_text(secret),
            secret.fingerprint.clone().unwrap_or_else(|| "-".to_owned()),
            newest.map_or_else(|| "-".to_owned(), |newest| moment(&newest.set_at)),
            newest.map_or_else(|| "-".to_owned(), |newest| newest.set_by.clone()),
            secret.used_by.join(", "),
        ]);
        if let Some(trouble) = trouble(secret) {
            notes.push_str(&format!("{}\n", paint.bad(&plain(&trouble))));
        }
        if secret.ignores_mounted {
            let name = plain(&secret.name);
            notes.push_str(&format!("{name}: the mounted file is ignored, because a value was set\n"));
        }
    }
    if table.is_empty() {
        return "there is no secret yet: samsyn secret set NAME --file FILE\n".to_owned();
    }
    format!("{}{notes}", table.render(paint))
}

fn versions_text(secret: &Secret) -> String {
    let numbers: Vec<String> = secret.versions.iter().map(|version| version.version.to_string()).collect();
    match (numbers.is_empty(), secret.origin.as_deref()) {
        (true, Some(origin)) => origin.to_owned(),
        (true, None) => "-".to_owned(),
        (false, _) => numbers.join(", "),
    }
}

fn secret_text(secret: &Secret, paint: Paint) -> String {
    let mut text = pairs(
        &[
            ("secret", secret.name.clone()),
            ("state", secret.state.clone()),
            ("versions", versions_text(secret)),
            ("fingerprint", secret.fingerprint.clone().unwrap_or_default()),
            ("used by", secret.used_by.join(", ")),
        ],
        paint,
    );
    if let Some(trouble) = trouble(secret) {
        text.push_str(&format!("{}\n", paint.bad(&plain(&trouble))));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use samsyn_terminal::Exit;

    fn secret(text: &str) -> Secret {
        serde_json::from_str(text).unwrap()
    }

    #[test]
    fn the_list_has_a_line_a_secret_and_what_is_wrong_with_it() {
        let secrets = [
            secret(
                r#"{"name": "crm_token", "state": "ok", "origin": "sealed", "fingerprint": "5e1f0c9a77d2",
                    "versions": [{"version": 2, "state": "damaged"}, {"version": 3, "state": "ok",
                                  "set_at": "2026-11-21T10:00:00Z", "set_by": "anna"}],
                    "used_by": ["setting api_key of crm"]}"#,
            ),
            secret(
                r#"{"name": "sms", "state": "missing", "reason": "nobody has set its value", "next": "set it"}"#,
            ),
        ];
        let text = list_text(&mut secrets.iter(), Paint(false));
        let lines: Vec<&str> = text.lines().collect();
        assert!(lines[1].starts_with("crm_token  ok       2, 3      5e1f0c9a77d2  "), "{text}");
        assert!(lines[1].ends_with("anna  setting api_key of crm"), "{text}");
        assert_eq!(
            lines[3],
            "crm_token: its old value (version 2) is damaged; end it: samsyn secret retire crm_token"
        );
        assert_eq!(lines[4], "sms: nobody has set its value; set it");
        assert!(list_text(&mut [].iter(), Paint(false)).contains("samsyn secret set NAME"));
    }

    #[test]
    fn a_value_comes_from_a_file_and_is_looked_at_first() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("token");
        let name = SecretName::new("crm").unwrap();
        let read = |bytes: &[u8], trim: bool| {
            std::fs::write(&file, bytes).unwrap();
            read_value(&ValueArgs { file: Some(file.clone()), trim, value: None }, "set", &name)
        };
        assert_eq!(read(b"hunter2", false).ok().unwrap().expose(), "hunter2");
        assert_eq!(read(b"hunter2\n", true).ok().unwrap().expose(), "hunter2");
        for (bytes, next) in
            [(&b"hunter2\n"[..], "--trim"), (b"hun\0ter2", "one line"), (b"", "give the value")]
        {
            let error = read(bytes, false).err().unwrap();
            assert_eq!(error.exit, Exit::Usage);
            let said = error.render(false);
            assert!(said.contains(next) && !said.contains("hun"), "{said}");
        }
        assert!(read(&vec![b'a'; 2 * VALUE_BYTES_MAX], false).err().unwrap().what.contains("65536"));
        let typed = ValueArgs { file: None, trim: false, value: Some("hunter2".to_owned()) };
        let said = read_value(&typed, "set", &name).err().unwrap().render(false);
        assert!(said.contains("--file FILE") && !said.contains("hunter2"), "{said}");
    }
}
