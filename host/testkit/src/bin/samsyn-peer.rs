//! A system at the other end of a call, as a process: `samsyn-peer --ledger FILE`.

fn main() {
    if let Err(message) = samsyn_testkit::peer::process::run(std::env::args().skip(1)) {
        eprintln!("{message}");
        std::process::exit(2);
    }
}
