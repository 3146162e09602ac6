//! Calls: how many a second are sent, each durable before it leaves, and how soon one is at the system.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use samsyn::engine::{InstallOptions, NewEvent};
use samsyn::host::Host;
use samsyn::registry::BindingRequest;
use samsyn::registry::endpoint::EndpointChange;
use samsyn::sandbox::Compiler;
use samsyn::settings::Config;
use samsyn::vocabulary::{Application, Property, Value};
use serde_json::json;
use tokio::net::{TcpListener, TcpStream};

use crate::report::{Figure, Target, median};
use crate::run::Bench;
use crate::subject::{
    Chance, Events, Failure, Scratch, Subject, THREADS, engine_config, fill, random_load, reach_zeros,
    run_through,
};
use crate::waits::{DiskProbe, DiskTimes};

/// What is measured here.
pub const NAMES: &[&str] = &["egress.calls", "egress.latency"];

const CUSTOMERS: u64 = 20_000;
const EVENTS: u64 = 60_000;
/// As many as an endpoint may have under way.
const PARALLEL: u64 = 64;
/// Calls a second whose latency is measured.
const PACE: u64 = 500;
const PATIENCE: Duration = Duration::from_secs(300);
const PAUSE: Duration = Duration::from_millis(1);

/// All of [`NAMES`].
pub fn measure(bench: &Bench, subject: &Subject) -> Result<Vec<Figure>, Failure> {
    let scratch = Scratch::new(&bench.data, "calls")?;
    let peer = Peer::start()?;
    let host = start(scratch.path(), subject, &peer)?;
    fill(host.engine(), CUSTOMERS, |_| {})?;
    reach_zeros(host.engine())?;
    let mut figures = Vec::new();
    if bench.wants_one("egress.calls") {
        figures.push(calls(bench, &host, &peer)?);
    }
    if bench.wants_one("egress.latency") {
        figures.push(latency(bench, &host, &peer)?);
    }
    host.stop();
    Ok(figures)
}

/// A host with one capability, whose endpoint is bound to the peer.
fn start(directory: &std::path::Path, subject: &Subject, peer: &Peer) -> Result<Host, Failure> {
    let mut config = Config { data: directory.to_owned(), engine: engine_config(), ..Config::default() };
    config.listen = "127.0.0.1:0".parse()?;
    config.registry.accept_new_fields = true;
    let host = Host::start(&config, Compiler::InProcess, true, |_| {})?;
    let (registrar, by) = (host.engine().registrar(), Application::new("bench")?);
    let options = InstallOptions { approve: true, ..InstallOptions::default() };
    registrar.install(&subject.calling_component()?, options, &by)?;
    let binding: BindingRequest = serde_json::from_value(json!({
        "url": format!("http://{}/", peer.address), "auth": "none", "repeat": "keyed",
        "key": { "header": "Idempotency-Key", "hours": 24 }, "networks": ["127.0.0.0/8"],
        "rate": "10000 per 1s", "parallel": PARALLEL,
    }))?;
    registrar.change_endpoint("bench-0", "system", EndpointChange::Bind(Box::new(binding)), None, &by)?;
    Ok(host)
}

/// Events that each call once, of random customers.
fn calling(prefix: &str, seed: u64, events: u64) -> Result<Vec<Vec<NewEvent>>, Failure> {
    let mut lists = random_load(prefix, seed, events, CUSTOMERS)?;
    for (number, event) in lists.iter_mut().flatten().enumerate() {
        event.properties.push(call(&format!("{prefix}-{number}")));
    }
    Ok(lists)
}

fn call(path: &str) -> Property {
    Property { name: "call".to_owned(), value: Value::Json(format!("\"{path}\"")) }
}

/// From the first event to the last answer on the disk.
fn calls(bench: &Bench, host: &Host, peer: &Peer) -> Result<Figure, Failure> {
    let events = bench.scale(EVENTS, 3_000);
    let (mut ours, mut baseline, mut ratios, mut bare) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for run in 0..bench.runs() {
        let load = random_load(&format!("plain-{run}"), run, events, CUSTOMERS)?;
        let start = Instant::now();
        run_through(host.engine(), load)?;
        let pipeline = events as f64 / start.elapsed().as_secs_f64();
        let load = calling(&format!("calls-{run}"), run, events)?;
        let start = Instant::now();
        run_through(host.engine(), load)?;
        await_answers(host)?;
        let called = events as f64 / start.elapsed().as_secs_f64();
        let alone = peer.drive(events)?;
        bench.say(&format!(
            "{called:.0} calls/s, {pipeline:.0} events/s, {alone:.0} requests/s by hyper alone"
        ));
        ours.push(called);
        baseline.push(pipeline);
        ratios.push(called / pipeline);
        bare.push(alone);
    }
    let note = format!(
        "{events} events that each call once, from the first event to the last answer decided and durable; against \
         events of the same capability without a call; the same peer driven by hyper alone over {PARALLEL} \
         connections: {:.0} requests/s",
        median(&bare)
    );
    Ok(Figure::new("egress.calls", median(&ours), "calls/s")
        .against(median(&baseline), median(&ratios))
        .target(Target::RatioAtLeast(0.15))
        .target(Target::AtLeast(3_000.0))
        .note(note))
}

fn await_answers(host: &Host) -> Result<(), Failure> {
    let until = Instant::now() + PATIENCE;
    while host.engine().calls().waiting() > 0 {
        if Instant::now() > until {
            return Err(format!("{} calls were not answered", host.engine().calls().waiting()).into());
        }
        std::thread::sleep(PAUSE);
    }
    if host.engine().drain(PATIENCE) { Ok(()) } else { Err("not everything was decided".into()) }
}

/// From an accepted event to its request at the system.
fn latency(bench: &Bench, host: &Host, peer: &Peer) -> Result<Figure, Failure> {
    let events = PACE * bench.scale(10, 2);
    let (mut p99s, mut p50s, mut disk) = (Vec::new(), Vec::new(), DiskTimes::default());
    for run in 0..bench.runs() {
        let (maker, mut chance) = (Events::new(format!("paced-{run}"))?, Chance::new(run));
        let probe = DiskProbe::begin(&bench.data);
        peer.forget();
        let (begin, mut accepted) = (Instant::now(), HashMap::new());
        for number in 0..events {
            let due = begin + Duration::from_secs(1) * u32::try_from(number)? / u32::try_from(PACE)?;
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            let mut event = maker.make(number, chance.below(CUSTOMERS), chance.item());
            let path = format!("paced-{run}-{number}");
            event.properties.push(call(&path));
            host.engine().accepting().accept(event)?;
            accepted.insert(format!("/{path}"), Instant::now());
        }
        await_answers(host)?;
        disk.add(probe.end()?);
        let arrived = peer.forget();
        let mut waited: Vec<f64> = Vec::with_capacity(accepted.len());
        for (path, accepted) in accepted {
            let arrived = arrived.get(&path).ok_or_else(|| format!("{path} never arrived"))?;
            waited.push(arrived.saturating_duration_since(accepted).as_secs_f64() * 1e3);
        }
        waited.sort_by(f64::total_cmp);
        let at = |share: f64| waited.get((waited.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN);
        bench.say(&format!("p50 {:.1} ms, p99 {:.1} ms of {}", at(0.5), at(0.99), waited.len()));
        p50s.push(at(0.5));
        p99s.push(at(0.99));
    }
    let note = format!(
        "event accepted to request at the peer, at {PACE}/s; p50 {:.1} ms\nthe disk's own syncs meanwhile: {}",
        median(&p50s),
        disk.text()
    );
    Ok(Figure::new("egress.latency", median(&p99s), "ms").target(Target::AtMost(25.0)).note(note))
}

/// A system on a thread of its own: it notes when a path first arrived, and answers 204.
struct Peer {
    address: SocketAddr,
    arrived: Arc<std::sync::Mutex<HashMap<String, Instant>>>,
}

impl Peer {
    fn start() -> Result<Peer, Failure> {
        let arrived: Arc<std::sync::Mutex<HashMap<String, Instant>>> = Arc::default();
        let (told, address) = mpsc::channel();
        let seen = arrived.clone();
        // It ends with the process.
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
            runtime.block_on(serve(seen, &told))
        });
        Ok(Peer { address: address.recv()?, arrived })
    }

    /// What arrived since it was last asked.
    fn forget(&self) -> HashMap<String, Instant> {
        std::mem::take(&mut *self.arrived.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    /// So many requests a second hyper alone sends, as bare as it can be.
    fn drive(&self, requests: u64) -> Result<f64, Failure> {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(THREADS).enable_all().build()?;
        let (address, each) = (self.address, requests / PARALLEL);
        let start = Instant::now();
        runtime.block_on(async {
            let connections: Vec<_> = (0..PARALLEL)
                .map(|number| tokio::spawn(async move { drive(address, number, each).await }))
                .collect();
            for connection in connections {
                connection.await??;
            }
            Ok::<(), Failure>(())
        })?;
        Ok((each * PARALLEL) as f64 / start.elapsed().as_secs_f64())
    }
}

async fn serve(
    arrived: Arc<std::sync::Mutex<HashMap<String, Instant>>>,
    told: &mpsc::Sender<SocketAddr>,
) -> std::io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    // Whoever started it waits for this.
    let _ = told.send(listener.local_addr()?);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let arrived = arrived.clone();
        let service = service_fn(move |request: Request<hyper::body::Incoming>| {
            let path = request.uri().path().to_owned();
            let mut arrived = arrived.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            arrived.entry(path).or_insert_with(Instant::now);
            let mut response = Response::new(Empty::<Bytes>::new());
            *response.status_mut() = StatusCode::NO_CONTENT;
            std::future::ready(Ok::<_, Infallible>(response))
        });
        // A connection that breaks is its client's concern.
        tokio::spawn(
            hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service),
        );
    }
}

async fn drive(address: SocketAddr, connection: u64, requests: u64) -> Result<(), Failure> {
    let stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, driver) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(driver);
    for number in 0..requests {
        let request = Request::builder()
            .method(Method::PUT)
            .uri(format!("/bare-{connection}-{number}"))
            .header("host", address.to_string())
            .body(Empty::<Bytes>::new())?;
        sender.ready().await?;
        sender.send_request(request).await?;
    }
    Ok(())
}
