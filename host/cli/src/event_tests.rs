//! What `samsyn event send` sends, seen by a host.

use clap::Parser;
use samsyn_import::fake_host::Server;

use super::{Cli, CliError, Command, Context, event};

/// Runs `samsyn event …` against a host.
fn samsyn(url: &str, arguments: &[&str]) -> Result<(), CliError> {
    let globals = ["samsyn", "--host", url, "--token", "secret", "--json"];
    let cli = Cli::try_parse_from(globals.iter().chain(arguments)).unwrap();
    let Command::Event(command) = cli.command else { panic!("no event command") };
    event::run(&command, &Context::new(cli.globals))
}

#[test]
fn one_event_is_sent_as_it_was_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("one.json");
    for text in [
        r#"{"name":"n","properties":{"a":10.00,"b":12345678901234567890123,"a":1}}"#,
        "{ \"name\" : \"\\u006e\",\n  \"identifiers\": {\"customer_id\": \"1\"}, \"identifiers\": {} }",
        r#"{"name":"n","id":null}"#,
        "7",
        "\"text\"",
    ] {
        let server = Server::start();
        std::fs::write(&path, format!("\u{feff}\n {text}\n\n")).unwrap();
        samsyn(&server.url(), &["event", "send", "--file", path.to_str().unwrap()]).unwrap();
        assert_eq!(server.kept().texts, [text]);
    }
}

#[test]
fn what_is_typed_is_sent_as_it_was_typed() {
    let server = Server::start();
    let arguments = [
        "event",
        "send",
        "--name",
        "n",
        "--identifier",
        "customer_id=1",
        "--identifier",
        "customer_id=2",
        "--property",
        "amount=10.00",
        "--property",
        "big=12345678901234567890123",
        "--property",
        "many=[1.0, 2]",
        "--property",
        "number=00042",
        "--property",
        "amount=7",
    ];
    samsyn(&server.url(), &arguments).unwrap();
    let expected = concat!(
        r#"{"name":"n","identifiers":{"customer_id":"1","customer_id":"2"},"#,
        r#""properties":{"amount":10.00,"big":12345678901234567890123,"many":[1.0, 2],"number":"00042","amount":7}}"#
    );
    assert_eq!(server.kept().texts, [expected]);
}
