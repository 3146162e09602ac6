//! Connections that are slow, silent, half gone or far too many: others are served meanwhile, the
//! slow ones are cut off, and memory stays bounded.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::json;

use crate::overload::{count, fresh, rss_mib};
use samsyn_harness::components::{self, USUAL};
use samsyn_harness::world::{PATIENCE, Said, World, until};

/// Idle connections, as far as the system lets this process have so many.
const IDLE_CONNECTIONS: u64 = 10_000;
/// Connections that wait to be accepted, at most.
const BACKLOG: u64 = 64;
/// Files this process needs besides: other stories run at the same time.
const FILES_KEPT: u64 = 1_024;
/// What a connection may cost the host, in KiB, idle or in the middle of a head: tasks, buffers,
/// a timer.
const KIB_A_CONNECTION: u64 = 32;
/// Slow clients of each kind.
const SLOW: usize = 50;

/// A connection that has said this much.
fn connect(world: &World, said: &[u8]) -> TcpStream {
    let address = world.url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).expect("the host accepts");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time can be set");
    stream.write_all(said).expect("it can be said");
    stream
}

/// What the host says until it closes the connection.
fn read_until_closed(stream: &mut TcpStream) -> String {
    let mut said = Vec::new();
    match stream.read_to_end(&mut said) {
        Ok(_) => {}
        // It had nothing left to say to somebody who was still talking.
        Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => {}
        Err(error) => panic!("it isn't closed: {error}"),
    }
    String::from_utf8_lossy(&said).into_owned()
}

/// Events are taken and decided as ever, over a connection of their own: one that was kept may have
/// been the longest idle.
fn assert_others_served(world: &World, customer: &str) {
    let caller = fresh(world);
    for number in 1..=5 {
        caller.script(customer, &["add probe.count"]);
        assert_eq!(caller.fields(customer)["probe.count"], number);
    }
}

fn head(world: &World, more: &str) -> Vec<u8> {
    format!(
        "POST /v1/events HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\n{more}",
        world.token
    )
    .into_bytes()
}

#[test]
fn whoever_is_slow_is_cut_off_and_keeps_nobody_waiting() {
    let mut world = World::with(&[
        ("SAMSYN_HTTP_HEAD_SECONDS", "1"),
        ("SAMSYN_HTTP_BODY_SECONDS", "1"),
        ("SAMSYN_HTTP_IDLE_SECONDS", "5"),
    ]);
    world.install(&components::probe("probe", USUAL));
    let before_mib = rss_mib(&world);
    // A head a byte at a time, a body that never ends, nothing at all, half an answer read.
    let trickle: Vec<TcpStream> = (0..SLOW).map(|_| connect(&world, b"P")).collect();
    let endless = head(&world, "Content-Length: 100000\r\n\r\n{\"name\":\"");
    let bodies: Vec<TcpStream> = (0..SLOW).map(|_| connect(&world, &endless)).collect();
    let silent: Vec<TcpStream> = (0..SLOW).map(|_| connect(&world, b"")).collect();
    let chunked = head(&world, "Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n");
    let chunks: Vec<TcpStream> = (0..SLOW).map(|_| connect(&world, &chunked)).collect();
    assert_others_served(&world, "meanwhile");
    // Those that go on a byte at a time gain no time by it.
    std::thread::scope(|scope| {
        for (mut stream, rest) in trickle.into_iter().zip(std::iter::repeat(head(&world, ""))) {
            scope.spawn(move || {
                stream.set_read_timeout(Some(Duration::from_millis(50))).expect("a time can be set");
                let mut answer = [0; 1];
                for byte in rest.iter().cycle().skip(1) {
                    // Until it is closed: the byte can't be sent, or the end is read.
                    if stream.write_all(&[*byte]).is_err() {
                        return;
                    }
                    match stream.read(&mut answer) {
                        Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                        }
                        _ => return,
                    }
                }
            });
        }
    });
    assert_others_served(&world, "afterwards");
    for mut stream in bodies.into_iter().chain(chunks) {
        let said = read_until_closed(&mut stream);
        assert!(said.starts_with("HTTP/1.1 408 ") && said.contains("slow-body"), "{said:?}");
    }
    for mut stream in silent {
        assert_eq!(read_until_closed(&mut stream), "", "there is nothing to answer");
    }
    assert!(rss_mib(&world) <= before_mib + 64, "{} MiB, before {before_mib}", rss_mib(&world));
    assert_eq!(fresh(&world).status()["accepted"], 10);
    assert!(world.stop().success(), "and it stops in order");
    count("slow_clients", json!(4 * SLOW));
}

#[test]
fn a_head_without_end_is_refused_before_it_fills_the_memory() {
    let world = World::new();
    let before_mib = rss_mib(&world);
    for _ in 0..SLOW {
        let mut stream = connect(&world, b"GET /v1/status HTTP/1.1\r\nHost: here\r\n");
        let line = format!("x-more: {}\r\n", "x".repeat(8_000));
        // At some point it listens no more.
        while stream.write_all(line.as_bytes()).is_ok() {}
        let said = read_until_closed(&mut stream);
        assert!(said.is_empty() || said.starts_with("HTTP/1.1 431 "), "{said:?}");
    }
    assert!(rss_mib(&world) <= before_mib + 64, "{} MiB, before {before_mib}", rss_mib(&world));
    count("endless_heads", json!(SLOW));
}

#[test]
fn ten_thousand_idle_connections_keep_nobody_out() {
    let (_, hard) = rlimit::Resource::NOFILE.get().expect("the limit can be read");
    rlimit::Resource::NOFILE.set(hard, hard).expect("it can be raised to what is allowed");
    let idle = IDLE_CONNECTIONS.min(hard.saturating_sub(FILES_KEPT));
    if idle < IDLE_CONNECTIONS {
        eprintln!("only {idle} idle connections: this process may have {hard} open files");
    }
    // Once a host that has room for all, once one that has places for fewer.
    for (places, host_has) in [(2 * IDLE_CONNECTIONS, idle), (512, 512)] {
        let world = World::with(&[("SAMSYN_HTTP_CONNECTIONS", &places.to_string())]);
        world.install(&components::probe("probe", USUAL));
        let before_mib = rss_mib(&world);
        let mut held = Vec::new();
        for number in 0..idle {
            held.push(connect(&world, if number % 2 == 0 { b"" } else { b"GET /v1/st" }));
            // The kernel keeps so many waiting; beyond it a connection takes a second to be tried again.
            if number % BACKLOG == 0 {
                let alive = fresh(&world).try_raw("GET", "/healthz", &[], b"").expect("it is accepted");
                assert_eq!(alive.status, 200);
            }
            if number % (idle / 4) == 0 {
                assert_others_served(&world, &format!("at-{number}"));
            }
        }
        assert_others_served(&world, "at-last");
        let now_mib = rss_mib(&world);
        let bound_mib = before_mib + 64 + host_has * KIB_A_CONNECTION / 1024;
        assert!(now_mib <= bound_mib, "{now_mib} MiB with {host_has} connections, before {before_mib}");
        count(&format!("idle_connections_at_{places}_places"), json!({"opened": idle, "mib": now_mib}));
        drop(held);
        // Places come back when the others are gone.
        until("the host is as it was", || {
            (world.try_send("GET", "/v1/status", &[], b"").is_ok()).then_some(())
        });
    }
}

/// A component of so many bytes, which nobody looks at: the token is nobody's.
const LARGE_BYTES: usize = 12 << 20;

/// An answer that comes before the body was read reaches the client, which is still sending.
#[test]
fn who_sends_much_and_may_not_reads_why() {
    let world = World::shared();
    let component = vec![0_u8; LARGE_BYTES];
    let file = world.file("large.wasm", &component);
    for token in ["nobody's", ""] {
        let mut command = world.command(&["plugin", "install", &file, "--yes"]);
        let said = Said::of(command.env("SAMSYN_TOKEN", token).output().expect("the command can be run"));
        assert_ne!(said.code, Some(0));
        assert!(!said.err.contains("no host answers"), "{}", said.err);
        assert!(said.err.contains("token"), "{}", said.err);
    }
    // Whatever a client sends, and however slowly it comes to reading.
    for (size, pause) in [(1 << 20, 0), (LARGE_BYTES, 0), (LARGE_BYTES, 64), (48 << 20, 0)] {
        let head = format!(
            "POST /v1/capabilities HTTP/1.1\r\nHost: here\r\nAuthorization: Bearer nobody\r\n\
             Content-Type: application/wasm\r\nContent-Length: {size}\r\n\r\n"
        );
        let mut stream = connect(&world, head.as_bytes());
        let piece = vec![0_u8; 64 << 10];
        for number in 0..size / piece.len() {
            stream.write_all(&piece).unwrap_or_else(|error| panic!("{size}, piece {number}: {error}"));
            if pause > 0 && number % pause == 0 {
                std::thread::yield_now();
            }
        }
        let said = read_until_closed(&mut stream);
        assert!(said.starts_with("HTTP/1.1 401 "), "{size}: {said:?}");
    }
}
