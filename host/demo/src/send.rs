//! Sending the script to the host, as several applications at once.
//!
//! An application is a header of a request, so each has requests of its own. Time is cut into
//! spans: within one the web site comes first, because mail is sent to an address that it took,
//! and then the others at once. So each customer's story stays in order, where order matters.

use std::collections::HashMap;
use std::sync::mpsc::{self, Sender as Channel};
use std::thread;
use std::time::{Duration, Instant};

use super::script::{Script, Seconds, Sender, Span};
use samsyn_client::{Client, ClientError};
use samsyn_import::{self as import, ImportError, Options, Progress, Refused, Row, Summary};
use samsyn_terminal::CliError;
use samsyn_terminal::Stop;

/// How much time is sent at once: some thousand events, so that requests are full.
const SPAN_SECONDS: Seconds = 30 * 24 * 60 * 60;

/// The clients of the demo: one for each application.
#[derive(Debug)]
pub struct Clients(Vec<(Sender, Client)>);

impl Clients {
    /// Clients for the host at `host`.
    pub fn new(host: &str, token: &str) -> Result<Clients, ClientError> {
        let client = |sender: Sender| {
            let application = Some(sender.application().to_owned());
            Client::new(host, Some(token.to_owned()), application).map(|client| (sender, client))
        };
        Sender::ALL.into_iter().map(client).collect::<Result<_, _>>().map(Clients)
    }

    /// The client that sends as this application.
    pub fn of(&self, sender: Sender) -> &Client {
        let found = self.0.iter().find(|(own, _)| *own == sender);
        // `new` made one for each.
        &found.unwrap_or(&self.0[0]).1
    }
}

/// What became of everything that was sent.
#[derive(Debug, Default)]
pub struct Sent {
    /// All of it.
    pub summary: Summary,
    /// How many of the refused ones were invented.
    pub refused_synthetic: u64,
}

/// Sends everything and returns what it came to. `progress` is told on this thread.
pub fn send(
    script: &mut Script,
    clients: &Clients,
    stop: &Stop,
    progress: &mut dyn Progress,
) -> Result<Sent, CliError> {
    let spans = script.spans(SPAN_SECONDS);
    let (channel, news) = mpsc::channel();
    thread::scope(|scope| {
        let player = scope.spawn(move || play(&spans, clients, stop, &channel));
        let mut total = Total { done: Summary::default(), running: HashMap::new(), started: Instant::now() };
        let mut refused_synthetic = 0;
        for item in news {
            match item {
                News::Update(sender, summary) => {
                    total.running.insert(sender, summary);
                    progress.update(&total.now());
                }
                News::Ended(sender, summary) => {
                    total.running.remove(&sender);
                    add(&mut total.done, &summary);
                }
                News::Refused(refused) => {
                    refused_synthetic += u64::from(refused.id.as_deref().is_some_and(is_synthetic));
                    progress.refused(&refused);
                }
                News::Waiting(cause, wait) => progress.waiting(&cause, wait),
            }
        }
        let played = player.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        let mut total = total.now();
        total.interrupted = stop.is_set();
        played.map(|()| Sent { summary: total, refused_synthetic })
    })
}

/// Whether an event with this id was invented.
pub fn is_synthetic(id: &str) -> bool {
    id.starts_with("synthetic:")
}

/// What a sender's thread tells the one that shows progress.
enum News {
    Update(Sender, Summary),
    Ended(Sender, Summary),
    Refused(Refused),
    Waiting(ClientError, Duration),
}

/// What was sent: by runs that ended, and by those that go on.
struct Total {
    done: Summary,
    running: HashMap<Sender, Summary>,
    started: Instant,
}

impl Total {
    fn now(&self) -> Summary {
        let mut total = self.done.clone();
        for running in self.running.values() {
            add(&mut total, running);
        }
        total.seconds = self.started.elapsed().as_secs_f64();
        total
    }
}

fn add(total: &mut Summary, summary: &Summary) {
    total.rows += summary.rows;
    total.accepted += summary.accepted;
    total.duplicates += summary.duplicates;
    total.refused += summary.refused;
    total.unanswered += summary.unanswered;
    total.batches += summary.batches;
    total.retries += summary.retries;
}

/// Sends span after span.
fn play(spans: &[Span<'_>], clients: &Clients, stop: &Stop, channel: &Channel<News>) -> Result<(), CliError> {
    let [first, others @ ..] = Sender::ALL;
    for span in spans {
        run(*span, first, clients, stop, channel)?;
        let results: Vec<Result<(), CliError>> = thread::scope(|scope| {
            let start =
                |sender: Sender| scope.spawn(move || run(*span, sender, clients, stop, &channel.clone()));
            let threads: Vec<_> = others.into_iter().filter(|sender| span.has(*sender)).map(start).collect();
            let ended = threads.into_iter().map(|thread| thread.join());
            ended.map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic))).collect()
        });
        results.into_iter().collect::<Result<(), _>>()?;
        if stop.is_set() {
            return Ok(());
        }
    }
    Ok(())
}

fn run(
    span: Span<'_>,
    sender: Sender,
    clients: &Clients,
    stop: &Stop,
    channel: &Channel<News>,
) -> Result<(), CliError> {
    let row = |(number, text): (usize, &str)| Ok(Row::of_json(number as u64 + 1, text.to_owned()));
    let rows = span.of(sender).enumerate().map(row);
    let options = Options { lanes: lanes(sender), stop: stop.clone(), ..Options::default() };
    let ended = import::run(rows, clients.of(sender), &options, &mut Relay { sender, channel });
    let (summary, result) = match ended {
        Ok(summary) => (summary, Ok(())),
        Err(ImportError::Host { cause, summary }) => (*summary, Err(CliError::from(cause))),
        Err(ImportError::Source { cause, summary }) => (*summary, Err(CliError::refused(cause))),
    };
    // Nobody listens only when the demo is ending.
    let _ = channel.send(News::Ended(sender, summary));
    result
}

/// Requests in flight: by how much each has to send, so that they end their span together.
fn lanes(sender: Sender) -> usize {
    match sender {
        Sender::Web | Sender::Shop => 4,
        Sender::MailGateway => 2,
        Sender::SmsGateway => 1,
    }
}

struct Relay<'a> {
    sender: Sender,
    channel: &'a Channel<News>,
}

impl Relay<'_> {
    fn tell(&self, news: News) {
        // Nobody listens only when the demo is ending.
        let _ = self.channel.send(news);
    }
}

impl Progress for Relay<'_> {
    fn update(&mut self, summary: &Summary) {
        self.tell(News::Update(self.sender, summary.clone()));
    }

    fn refused(&mut self, refused: &Refused) {
        self.tell(News::Refused(refused.clone()));
    }

    fn waiting(&mut self, cause: &ClientError, wait: Duration) {
        self.tell(News::Waiting(cause.clone(), wait));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn totals_count_what_ended_and_what_goes_on() {
        let some = |accepted| Summary { accepted, rows: accepted, ..Summary::default() };
        let mut total = Total { done: some(10), running: HashMap::new(), started: Instant::now() };
        total.running.insert(Sender::Shop, some(5));
        total.running.insert(Sender::MailGateway, some(2));
        assert_eq!((total.now().accepted, total.now().rows), (17, 17));
    }

    #[test]
    fn each_application_has_its_client() {
        let clients = Clients::new("http://127.0.0.1:1", "t").unwrap();
        assert!(Sender::ALL.into_iter().all(|sender| clients.0.iter().any(|(own, _)| *own == sender)));
    }
}
