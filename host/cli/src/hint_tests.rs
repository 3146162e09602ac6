//! What the command line says where something typed can't be used, and what its help promises.

use clap::{CommandFactory, Parser};

use super::Cli;

fn refused(line: &str) -> String {
    match Cli::try_parse_from(line.split(' ')) {
        Err(error) => error.to_string(),
        Ok(cli) => panic!("{line}: {cli:?}"),
    }
}

#[test]
fn a_count_since_1970_is_told_as_the_time_that_it_is() {
    for line in [
        "samsyn event send --name a --identifier customer_id=1 --at 1732183200",
        "samsyn event send --name a --identifier customer_id=1 --at 1732183200000",
        "samsyn audit reads --since 1732183200",
        "samsyn audit changes --until 1732183200000",
    ] {
        let said = refused(line);
        assert!(said.contains("2024-11-21T10:00:00Z"), "{line}: {said}");
    }
    let said = refused("samsyn event send --name a --identifier customer_id=1 --at yesterday");
    assert!(said.contains("2026-11-21T10:00:00Z") && !said.contains("since 1970"), "{said}");
}

#[test]
fn the_help_names_no_token_file_that_nobody_writes() {
    let help = Cli::command().render_long_help().to_string();
    let named: Vec<&str> = help
        .split(|letter: char| letter.is_whitespace() || letter == ',' || letter == ';')
        .filter(|word| word.contains("samsyn-data/"))
        .collect();
    // What `samsyn demo` writes where it is started without arguments.
    assert_eq!(named, ["samsyn-data/demo-token"], "{help}");
    assert!(help.contains("`samsyn serve` prints"), "where the other one comes from:\n{help}");
}
