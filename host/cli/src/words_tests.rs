//! Texts for people use the field's words: the help, the settings, the catalogue of problems and the pages in
//! `docs/`.
//!
//! [`PRIVATE`] is the one list. Code in backquotes and in blocks is left out: names that programs rely on stay.

use std::fs;
use std::path::{Path, PathBuf};

use clap::CommandFactory;

use super::Cli;
use samsyn_api::catalogue::KINDS;

/// Words and phrases that only this project gives a meaning, each with what to write instead. A `*` at the end
/// stands for any ending.
const PRIVATE: &[(&str, &str)] = &[
    ("told", "shown, reported, or notified"),
    ("tells", "shows, reports, or notifies"),
    ("telling", "showing, reporting, or notifying"),
    ("hear", "receive, or subscribe to"),
    ("hears", "receives, or subscribes to"),
    ("heard", "received"),
    ("speaks", "makes claims, or supports"),
    ("speak of", "make claims for"),
    ("both speak", "both have a value"),
    ("mend*", "fix, or repair"),
    ("anew", "again; rebuild"),
    ("whole number*", "integer"),
    ("letter*", "character"),
    ("texts", "list of strings"),
    ("owes", "has pending notifications"),
    ("owed", "pending"),
    ("aside", "slow lane; renamed"),
    ("gives way", "has a lower priority"),
    ("give way", "have a lower priority"),
    ("keeper", "maintenance"),
    ("stranger*", "unauthenticated"),
    ("so already", "nothing changes"),
    ("passed over", "ignored, or skipped"),
    ("passes over", "ignores, or skips"),
    ("go by", "have the identifier"),
    ("goes by", "has the identifier"),
    ("stand in for", "be the fallback of"),
    ("stands in for", "is the fallback of"),
    ("stands there twice", "is there twice"),
    ("differs in nothing", "shows no difference"),
    ("may nothing", "has no permission"),
    ("as the file says", "matches the file"),
    ("definition can't be", "invalid definition"),
    ("nobody sources", "has no source"),
    ("what the log has", "the log"),
    ("delivery*", "invocation, unless a channel delivers a message"),
    ("deliveries", "invocations, unless a channel delivers messages"),
];

/// Where a word may stand all the same: the word, the words around it, and why.
const ALLOWED: &[(&str, &str, &str)] = &[
    ("texts", "texts or json", "the name of a type that manifests use"),
    ("texts", "texts is a list of", "the name of a type, explained"),
    ("texts", "timestamp, texts", "the name of a type that manifests use"),
    ("texts", "date, texts", "the name of a type that manifests use"),
    ("letter*", "lower-case letters", "what a name is written with: letters and digits, no other characters"),
    ("letter*", "lower case letters", "what a name is written with"),
    ("letter*", "upper-case letters", "what a name is written with"),
    ("letter*", "full-width letters", "letters of a writing system, not characters in general"),
    ("texts", "other texts", "messages that people or plug-ins write, not a type"),
    ("texts", "free texts", "what people write, not a type"),
    ("letter*", "newsletter", "an e-mail to many"),
    ("deliveries", "addresses, deliveries and replies", "what a mail service reports"),
    ("delivery*", "email delivery", "a channel delivers"),
    ("delivery*", "delivery of mail", "a channel delivers"),
    ("delivery*", "delivery report", "what a provider sends about a message"),
];

/// The uses of private words in a text, each with the words around it and what to write instead.
fn private_words(text: &str) -> Vec<String> {
    let text = without_code(text);
    let lower = text.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().collect();
    let bare: Vec<String> = words.iter().map(|word| bare(word)).collect();
    let mut found = Vec::new();
    for (private, instead) in PRIVATE {
        let (phrase, any_ending) = match private.strip_suffix('*') {
            Some(stem) => (stem, true),
            None => (*private, false),
        };
        let phrase: Vec<&str> = phrase.split(' ').collect();
        for at in 0..bare.len().saturating_sub(phrase.len() - 1) {
            let is_it = phrase.iter().enumerate().all(|(offset, part)| {
                let word = &bare[at + offset];
                let is_last = offset + 1 == phrase.len();
                word == part || (is_last && any_ending && word.starts_with(part))
            });
            if !is_it {
                continue;
            }
            let around = words[at.saturating_sub(4)..(at + phrase.len() + 4).min(words.len())].join(" ");
            let is_allowed =
                ALLOWED.iter().any(|(word, context, _)| word == private && around.contains(context));
            if !is_allowed {
                found.push(format!("{private:?} in \"{around}\": write {instead}"));
            }
        }
    }
    found
}

/// A word without the marks around it.
fn bare(word: &str) -> String {
    word.trim_matches(|character: char| !character.is_alphanumeric()).to_owned()
}

/// The text without code: what stands in backquotes, and lines between fences. A span ends in its paragraph.
fn without_code(text: &str) -> String {
    let mut prose = String::new();
    let (mut in_fence, mut in_span) = (false, false);
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            in_fence = !in_fence;
            continue;
        }
        if in_fence {
            continue;
        }
        in_span &= !line.trim().is_empty();
        for character in line.chars() {
            match character {
                '`' => in_span = !in_span,
                // What stands there is a word, whichever: the ones around it are no phrase.
                _ if in_span => {}
                other => prose.push(other),
            }
        }
        prose.push('\n');
    }
    prose
}

fn assert_plain(texts: impl IntoIterator<Item = (String, String)>) {
    let faults: Vec<String> = texts
        .into_iter()
        .flat_map(|(place, text)| {
            private_words(&text).into_iter().map(move |word| format!("{place}: {word}"))
        })
        .collect();
    assert!(faults.is_empty(), "{} private words:\n{}", faults.len(), faults.join("\n"));
}

/// The long help of a command and of all below it, by the line that asks for it.
fn helps(command: &mut clap::Command, line: &str, all: &mut Vec<(String, String)>) {
    all.push((format!("{line} --help"), command.render_long_help().to_string()));
    let names: Vec<String> = command.get_subcommands().map(|below| below.get_name().to_owned()).collect();
    for name in names.iter().filter(|name| *name != "help") {
        let below = command.find_subcommand_mut(name).expect("it was listed");
        helps(below, &format!("{line} {name}"), all);
    }
}

#[test]
fn the_help_has_no_private_words() {
    let mut command = Cli::command();
    command.build();
    let mut all = Vec::new();
    helps(&mut command, "samsyn", &mut all);
    assert!(all.len() > 50, "every command is there: {}", all.len());
    assert_plain(all);
}

#[test]
fn the_problems_have_no_private_words() {
    assert_plain(KINDS.iter().map(|kind| {
        let entry = kind.entry();
        (entry.code.to_owned(), format!("{}\n\n{}\n\n{}", entry.title, entry.cause, entry.fix))
    }));
}

#[test]
fn the_settings_have_no_private_words() {
    assert_plain([(
        "samsyn serve --print-config".to_owned(),
        include_str!("../../server/src/settings.default.toml").to_owned(),
    )]);
}

#[test]
fn private_words_are_found_and_code_is_left_out() {
    let words = |text: &str| private_words(text).len();
    assert_eq!(words("It was Told, and mended."), 2);
    assert_eq!(words("A whole\nnumber; a field that two plug-ins speak of."), 2);
    assert_eq!(words("`told` and ```\n"), 0);
    assert_eq!(words("```\nit is told\n```\nplain"), 0);
    assert_eq!(words("The field is untold, retold and folded."), 0);
    assert_eq!(words("Use lower-case letters and digits."), 0);
    assert_eq!(words("Two letters."), 1);
    for (word, context, reason) in ALLOWED {
        assert!(PRIVATE.iter().any(|(private, _)| private == word), "{word} is not private");
        assert!(!context.is_empty() && !reason.is_empty(), "{word}");
    }
}

#[test]
fn the_documents_have_no_private_words() {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pages = fs::read_dir(repository.join("docs")).expect("there are documents");
    let mut pages: Vec<PathBuf> = pages.map(|page| page.expect("it can be listed").path()).collect();
    pages.retain(|page| page.extension().is_some_and(|extension| extension == "md"));
    pages.push(repository.join("README.md"));
    pages.push(repository.join("host/cli/src/plugin/template/README.md"));
    assert!(pages.len() > 12, "every page is there: {}", pages.len());
    assert_plain(pages.iter().map(|page| {
        let text = fs::read_to_string(page).expect("a page is text");
        (page.display().to_string(), text)
    }));
}
