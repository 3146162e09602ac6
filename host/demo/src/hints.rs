//! What to try when the demo has told its story: commands that work as they stand where it was started.

use std::net::SocketAddr;
use std::path::Path;

use samsyn_demo::DATA as DEFAULT_DATA;
use samsyn_terminal::context::DEFAULT_HOST;
use samsyn_terminal::output::Paint;

/// Where the demo ran, and whether its host still does.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// The program as it was called.
    pub program: &'a str,
    /// The data directory.
    pub data: &'a Path,
    /// The file with the token.
    pub token_file: &'a Path,
    /// Where to listen, as it was typed.
    pub listen: SocketAddr,
    /// The host's address.
    pub address: &'a str,
    /// The host has ended.
    pub ended: bool,
}

impl Place<'_> {
    /// The commands; of a host that has ended the first one starts it again.
    pub fn commands(&self, customer: &str) -> Vec<String> {
        let start = self.environment();
        let asked = [
            format!("profile timeline customer_id:{customer}"),
            format!("profile set customer_id:{customer} first_name=Ann phone=12345 --wait"),
            "field list".to_owned(),
        ];
        let asked = asked.iter().map(|rest| format!("{start}{} {rest}", quoted(self.program)));
        self.serve().into_iter().chain(asked).collect()
    }

    /// The command that starts the host again on what the demo left.
    fn serve(&self) -> Option<String> {
        let mut serve = format!("{} serve", quoted(self.program));
        if self.data != Path::new(DEFAULT_DATA) {
            serve.push_str(&format!(" --data {}", quoted(&self.data.display().to_string())));
        }
        if self.address_then() != DEFAULT_HOST {
            serve.push_str(&format!(" --listen {}", self.listen));
        }
        self.ended.then_some(serve)
    }

    /// Where the host is when the commands are typed: any port that the system chose is given back.
    fn address_then(&self) -> &str {
        if self.ended && self.listen.port() == 0 { DEFAULT_HOST } else { self.address }
    }

    fn environment(&self) -> String {
        let mut start = String::new();
        if self.data != Path::new(DEFAULT_DATA) {
            let file = quoted(&self.token_file.display().to_string());
            start.push_str(&format!("SAMSYN_TOKEN_FILE={file} "));
        }
        if self.address_then() != DEFAULT_HOST {
            start.push_str(&format!("SAMSYN_HOST={} ", self.address_then()));
        }
        start
    }

    /// The commands as the end of the summary.
    pub fn text(&self, customer: &str, paint: Paint) -> String {
        let commands = self.commands(customer);
        let (place, data) = (self.address, self.data.display());
        match (self.ended, commands.split_first()) {
            (true, Some((serve, asked))) => format!(
                "\n{}\n  {serve}\n\n{}\n  {}\n\nThe host has stopped; its data and its token are in {data}\n",
                paint.strong("Try next: start the host again"),
                paint.strong("and in another terminal"),
                asked.join("\n  "),
            ),
            _ => format!(
                "\n{}\n  {}\n\nThe host runs on {place} until Ctrl-C; its data and its token are in {data}\n",
                paint.strong("Try next, in another terminal"),
                commands.join("\n  "),
            ),
        }
    }
}

/// A word as a shell reads it as one.
fn quoted(word: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "/._-+:@%=".contains(letter);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use samsyn_terminal::context::DEFAULT_LISTEN;

    fn place<'a>(data: &'a Path, listen: &str, address: &'a str, ended: bool) -> Place<'a> {
        let token_file = Box::leak(data.join("demo-token").into_boxed_path());
        Place { program: "samsyn", data, token_file, listen: listen.parse().unwrap(), address, ended }
    }

    #[test]
    fn what_stands_for_a_default_isnt_typed() {
        let usual = place(Path::new(DEFAULT_DATA), DEFAULT_LISTEN, DEFAULT_HOST, false);
        assert_eq!(usual.commands("7")[0], "samsyn profile timeline customer_id:7");
        let ended = Place { ended: true, ..usual };
        assert_eq!(ended.commands("7")[..2], ["samsyn serve", "samsyn profile timeline customer_id:7"]);
        let data = Path::new("my data");
        let elsewhere = place(data, "127.0.0.1:0", "http://127.0.0.1:40001", false);
        assert_eq!(
            elsewhere.commands("7")[2],
            "SAMSYN_TOKEN_FILE='my data/demo-token' SAMSYN_HOST=http://127.0.0.1:40001 samsyn field list"
        );
    }

    #[test]
    fn a_host_that_ended_is_started_where_the_commands_look_for_it() {
        let data = Path::new("data");
        let any = place(data, "127.0.0.1:0", "http://127.0.0.1:40001", true).commands("7");
        assert_eq!(any[0], "samsyn serve --data data", "a port that was given back may be somebody's");
        assert_eq!(any[3], "SAMSYN_TOKEN_FILE=data/demo-token samsyn field list");
        let chosen = place(data, "127.0.0.1:7500", "http://127.0.0.1:7500", true).commands("7");
        assert_eq!(chosen[0], "samsyn serve --data data --listen 127.0.0.1:7500");
        assert!(chosen[3].contains("SAMSYN_HOST=http://127.0.0.1:7500 "), "{chosen:?}");
    }
}
