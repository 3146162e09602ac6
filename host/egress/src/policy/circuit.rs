//! Whether an endpoint that keeps failing is tried at all.
//!
//! ```text
//!            5 in a row, or half of 20 in 60 s            30 s, 1 min … 10 min later
//!   closed ──────────────────────────────────▶ open ──────────────────────────────▶ one probe
//!     ▲                                          ▲──────────── failed ────────────────┤
//!     └───────────────────────────────────────── good ────────────────────────────────┘
//!   any ── 3 refusals of credentials in a row ──▶ shut, until somebody opens it
//! ```
//!
//! While it is open or shut nothing is tried, so nothing counts as an attempt: exchanges wait in their order.

use std::time::{Duration, Instant};

/// Failures in a row that open it.
pub const ROW_MAX: u32 = 5;
/// Calls in [`WINDOW_S`] before the share of failures counts.
pub const SAMPLE_MIN: u32 = 20;
/// Seconds whose calls count.
pub const WINDOW_S: u64 = 60;
/// How long it is open first, and at most. It doubles with each probe that fails.
pub const OPEN: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(600));
/// Refused credentials in a row that shut it.
pub const AUTH_MAX: u32 = 3;
/// A probe of which nothing is heard for so long is given up.
const PROBE_MAX: Duration = Duration::from_secs(600);

use super::classify::Health;

/// The right to try once. It goes back by [`Circuit::record`] or [`Circuit::give_back`].
#[must_use = "a probe that isn't recorded holds the circuit open"]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pass {
    epoch: u64,
}

/// May the endpoint be tried?
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Admission {
    /// Yes.
    Go(Pass),
    /// Not before this time.
    Wait(Instant),
    /// Not before somebody has looked at its credentials.
    Shut,
}

/// What shows outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Calls go.
    Closed,
    /// Calls wait.
    Open {
        /// Since when.
        since: Instant,
        /// Until when at least.
        until: Instant,
    },
    /// One call tries.
    Probing {
        /// Since when calls wait.
        since: Instant,
    },
    /// Its credentials were refused.
    Shut {
        /// Since when.
        since: Instant,
    },
}

#[derive(Clone, Copy, Debug, Default)]
struct Second {
    number: u64,
    good: u32,
    bad: u32,
}

/// The circuit of one endpoint.
#[derive(Clone, Debug)]
pub struct Circuit {
    born: Instant,
    state: State,
    /// Raised with every change of state: what was tried before says nothing about now.
    epoch: u64,
    row: u32,
    auth: u32,
    opened: u32,
    probe: Option<Instant>,
    window: [Second; WINDOW_S as usize],
}

impl Circuit {
    /// A closed one.
    pub fn new(now: Instant) -> Circuit {
        let window = [Second::default(); WINDOW_S as usize];
        Circuit { born: now, state: State::Closed, epoch: 0, row: 0, auth: 0, opened: 0, probe: None, window }
    }

    /// The state now.
    pub fn state(&self) -> State {
        self.state
    }

    /// May a call leave now?
    pub fn admit(&mut self, now: Instant) -> Admission {
        match self.state {
            State::Closed => Admission::Go(Pass { epoch: self.epoch }),
            State::Shut { .. } => Admission::Shut,
            State::Open { until, .. } if now < until => Admission::Wait(until),
            State::Open { since, .. } => self.probe(since, now),
            State::Probing { since } => match self.probe.map(|begun| begun + PROBE_MAX) {
                Some(until) if now < until => Admission::Wait(until),
                _ => self.probe(since, now),
            },
        }
    }

    fn probe(&mut self, since: Instant, now: Instant) -> Admission {
        self.enter(State::Probing { since });
        self.probe = Some(now);
        Admission::Go(Pass { epoch: self.epoch })
    }

    /// The call wasn't made.
    pub fn give_back(&mut self, pass: Pass, now: Instant) {
        if let State::Probing { since } = self.state
            && pass.epoch == self.epoch
        {
            // Whoever comes next probes.
            self.enter(State::Open { since, until: now });
        }
    }

    /// What came of the call. One that began in another state tells nothing about this one, but for refused
    /// credentials, which count whenever they come.
    pub fn record(&mut self, pass: Pass, health: Health, now: Instant) {
        let current = pass.epoch == self.epoch;
        match health {
            Health::Auth => {
                self.auth += 1;
                if self.auth >= AUTH_MAX && !matches!(self.state, State::Shut { .. }) {
                    self.enter(State::Shut { since: now });
                    return;
                }
            }
            Health::Good => self.auth = 0,
            Health::Bad | Health::Silent => {}
        }
        if !current {
            return;
        }
        match (self.state, health) {
            (State::Probing { .. }, Health::Good | Health::Auth) => self.close(),
            (State::Probing { since }, Health::Bad) => self.open(since, now),
            (State::Probing { .. }, Health::Silent) => self.give_back(pass, now),
            (State::Closed, Health::Good | Health::Auth) => {
                self.row = 0;
                self.count(false, now);
            }
            (State::Closed, Health::Bad) => {
                self.row += 1;
                self.count(true, now);
                let (calls, bad) = self.within_window(now);
                if self.row >= ROW_MAX || (calls >= SAMPLE_MIN && bad * 2 >= calls) {
                    self.opened = 0;
                    self.open(now, now);
                }
            }
            _ => {}
        }
    }

    /// Somebody looked at it: calls go again.
    pub fn reopen(&mut self) {
        self.auth = 0;
        self.close();
    }

    fn open(&mut self, since: Instant, now: Instant) {
        let doubled = OPEN.0.saturating_mul(1 << self.opened.min(16));
        self.opened = self.opened.saturating_add(1);
        self.enter(State::Open { since, until: now + doubled.min(OPEN.1) });
    }

    fn close(&mut self) {
        self.opened = 0;
        self.enter(State::Closed);
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.epoch += 1;
        self.probe = None;
        self.row = 0;
        self.window = [Second::default(); WINDOW_S as usize];
    }

    fn second(&self, now: Instant) -> u64 {
        now.saturating_duration_since(self.born).as_secs()
    }

    fn count(&mut self, bad: bool, now: Instant) {
        let number = self.second(now);
        let slot = &mut self.window[(number % WINDOW_S) as usize];
        if slot.number != number {
            *slot = Second { number, ..Second::default() };
        }
        let counter = if bad { &mut slot.bad } else { &mut slot.good };
        *counter = counter.saturating_add(1);
    }

    /// Calls and failures of the last minute.
    fn within_window(&self, now: Instant) -> (u32, u32) {
        let number = self.second(now);
        let late = self.window.iter().filter(|second| second.number + WINDOW_S > number);
        late.fold((0_u32, 0_u32), |(calls, bad), second| {
            (calls.saturating_add(second.good).saturating_add(second.bad), bad.saturating_add(second.bad))
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn go(circuit: &mut Circuit, now: Instant) -> Pass {
        match circuit.admit(now) {
            Admission::Go(pass) => pass,
            other => panic!("{other:?}"),
        }
    }

    fn call(circuit: &mut Circuit, health: Health, now: Instant) {
        let pass = go(circuit, now);
        circuit.record(pass, health, now);
    }

    fn second(at: u64) -> Duration {
        Duration::from_secs(at)
    }

    #[test]
    fn five_in_a_row_open_it() {
        let start = Instant::now();
        let mut circuit = Circuit::new(start);
        for _ in 0..4 {
            call(&mut circuit, Health::Bad, start);
        }
        call(&mut circuit, Health::Good, start);
        for _ in 0..4 {
            call(&mut circuit, Health::Bad, start);
        }
        call(&mut circuit, Health::Silent, start);
        assert_eq!(circuit.state(), State::Closed);
        call(&mut circuit, Health::Bad, start);
        assert_eq!(circuit.admit(start), Admission::Wait(start + second(30)));
    }

    #[test]
    fn half_of_twenty_in_a_minute_open_it() {
        let start = Instant::now();
        let mut circuit = Circuit::new(start);
        for at in 0..10 {
            call(&mut circuit, Health::Bad, start + second(at));
            call(&mut circuit, Health::Good, start + second(at));
            let open = matches!(circuit.state(), State::Open { .. });
            assert!(!open, "after {at}");
        }
        call(&mut circuit, Health::Bad, start + second(11));
        assert!(matches!(circuit.state(), State::Open { .. }));
        // The same number over two minutes doesn't.
        let mut circuit = Circuit::new(start);
        for at in 0..20 {
            call(&mut circuit, Health::Bad, start + second(at * 7));
            call(&mut circuit, Health::Good, start + second(at * 7));
        }
        assert_eq!(circuit.state(), State::Closed);
    }

    #[test]
    fn one_probe_then_longer_or_closed() {
        let start = Instant::now();
        let mut circuit = Circuit::new(start);
        for _ in 0..5 {
            call(&mut circuit, Health::Bad, start);
        }
        let mut now = start;
        for wait in [30, 60, 120, 240, 480, 600, 600] {
            assert_eq!(circuit.admit(now + second(wait - 1)), Admission::Wait(now + second(wait)), "{wait}");
            now += second(wait);
            let probe = go(&mut circuit, now);
            assert!(matches!(circuit.admit(now), Admission::Wait(_)), "one probe");
            circuit.record(probe, Health::Bad, now);
            assert!(matches!(circuit.state(), State::Open { since, .. } if since == start));
        }
        now += second(600);
        call(&mut circuit, Health::Good, now);
        assert_eq!(circuit.state(), State::Closed);
        for _ in 0..5 {
            call(&mut circuit, Health::Bad, now);
        }
        assert_eq!(circuit.admit(now), Admission::Wait(now + second(30)), "it begins anew");
    }

    #[test]
    fn a_probe_that_was_not_made_or_is_lost_leaves_room_for_another() {
        let start = Instant::now();
        let mut circuit = Circuit::new(start);
        for _ in 0..5 {
            call(&mut circuit, Health::Bad, start);
        }
        let probe = go(&mut circuit, start + second(30));
        circuit.give_back(probe, start + second(31));
        let lost = go(&mut circuit, start + second(31));
        assert!(matches!(circuit.admit(start + second(630)), Admission::Wait(_)));
        let another = go(&mut circuit, start + second(631));
        circuit.record(lost, Health::Bad, start + second(632));
        circuit.record(another, Health::Good, start + second(633));
        assert_eq!(circuit.state(), State::Closed);
    }

    #[test]
    fn late_results_of_calls_before_say_nothing() {
        let start = Instant::now();
        let mut circuit = Circuit::new(start);
        let before: Vec<Pass> = (0..20).map(|_| go(&mut circuit, start)).collect();
        for pass in &before[..5] {
            circuit.record(*pass, Health::Bad, start);
        }
        let open = circuit.state();
        circuit.record(before[5], Health::Good, start + second(1));
        circuit.record(before[6], Health::Bad, start + second(1));
        assert_eq!(circuit.state(), open);
        call(&mut circuit, Health::Good, start + second(30));
        before[7..].iter().for_each(|pass| circuit.record(*pass, Health::Bad, start + second(31)));
        assert_eq!(circuit.state(), State::Closed);
    }

    #[test]
    fn refused_credentials_shut_it_until_somebody_looks() {
        let start = Instant::now();
        let mut circuit = Circuit::new(start);
        call(&mut circuit, Health::Auth, start);
        call(&mut circuit, Health::Auth, start);
        call(&mut circuit, Health::Good, start);
        call(&mut circuit, Health::Auth, start);
        call(&mut circuit, Health::Bad, start);
        call(&mut circuit, Health::Auth, start);
        call(&mut circuit, Health::Auth, start);
        assert_eq!(circuit.state(), State::Shut { since: start });
        assert_eq!(circuit.admit(start + second(100_000)), Admission::Shut);
        circuit.reopen();
        call(&mut circuit, Health::Auth, start);
        assert_eq!(circuit.state(), State::Closed);
    }

    proptest! {
        /// Whatever happens: never two probes at once, and after enough time there is always a way on, unless shut.
        #[test]
        fn it_never_stays_open_for_ever(steps in proptest::collection::vec((0_u64..900, 0_u8..8), 1..200)) {
            let start = Instant::now();
            let mut circuit = Circuit::new(start);
            let (mut now, mut held): (Instant, Vec<Pass>) = (start, Vec::new());
            for (pass, what) in steps {
                now += second(pass);
                match what {
                    0..3 => if let Admission::Go(pass) = circuit.admit(now) {
                        held.push(pass);
                        if matches!(circuit.state(), State::Probing { .. }) {
                            prop_assert!(!matches!(circuit.admit(now), Admission::Go(_)));
                        }
                    },
                    3 => if let Some(pass) = held.pop() { circuit.give_back(pass, now); },
                    _ => if let Some(pass) = held.pop() {
                        let health = [Health::Good, Health::Bad, Health::Bad, Health::Silent][what as usize - 4];
                        circuit.record(pass, health, now);
                    },
                }
                match circuit.clone().admit(now + OPEN.1) {
                    Admission::Go(_) => {}
                    other => prop_assert!(false, "{:?}", other),
                }
                if let Admission::Wait(until) = circuit.clone().admit(now) {
                    prop_assert!(until > now && until <= now + OPEN.1);
                }
            }
        }
    }
}
