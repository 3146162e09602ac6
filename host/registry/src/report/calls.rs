//! Calls that need somebody: those of endpoints that can't be called, and those of which nobody knows whether they
//! arrived.

use super::finding::{Finding, Severity};
use samsyn_vocabulary::{CapabilityName, EndpointName};

/// How long an endpoint may be halted before that is a finding: shorter, it may end by itself.
const STUCK_S: u64 = 10 * 60;

/// An endpoint to which nothing is sent though calls wait, as who sends them says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stuck {
    /// Whose endpoint.
    pub capability: CapabilityName,
    /// Its name.
    pub endpoint: EndpointName,
    /// What kind of cause.
    pub cause: StuckCause,
    /// Why, in a sentence.
    pub why: String,
    /// For how long, in seconds.
    pub seconds: u64,
}

/// What keeps calls from being sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StuckCause {
    /// The endpoint can't be called on this host: a secret or a file is missing.
    NotCallable,
    /// The system keeps failing.
    Failing,
}

/// Calls to one endpoint of which nobody knows whether they arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubtful {
    /// Whose endpoint.
    pub capability: CapabilityName,
    /// Its name.
    pub endpoint: EndpointName,
    /// How many.
    pub calls: usize,
    /// Whether there are more than were counted.
    pub more: bool,
}

/// Endpoints that have been halted for a while.
pub fn stuck(all: &[Stuck]) -> Vec<Finding> {
    let finding = |Stuck { capability, endpoint, cause, why, seconds }: &Stuck| {
        let minutes = seconds / 60;
        let (severity, code, explanation, fix) = match cause {
            StuckCause::NotCallable => (
                Severity::Error,
                "endpoint-not-callable",
                format!(
                    "This host can't call the endpoint {endpoint} of {capability}, so its calls have waited for {minutes} minutes: {why}."
                ),
                "Calls are sent as soon as the cause is gone. To see whether it is, test the endpoint.",
            ),
            StuckCause::Failing => (
                Severity::Warning,
                "endpoint-failing",
                format!(
                    "The system behind the endpoint {endpoint} of {capability} has been failing for {minutes} minutes, so its calls wait."
                ),
                "The host tries again by itself. To see what fails, test the endpoint, and ask who runs the system.",
            ),
        };
        Finding {
            capabilities: vec![capability.clone()],
            explanation,
            mend: fix.to_owned(),
            command: format!("samsyn endpoint test {capability} {endpoint}"),
            ..Finding::new(severity, code)
        }
    };
    all.iter().filter(|stuck| stuck.seconds >= STUCK_S).map(finding).collect()
}

/// Calls in doubt.
pub fn doubtful(all: &[Doubtful]) -> Vec<Finding> {
    let finding = |Doubtful { capability, endpoint, calls, more }: &Doubtful| {
        let number = match (calls, more) {
            (1, false) => "1 call".to_owned(),
            (calls, false) => format!("{calls} calls"),
            (calls, true) => format!("more than {calls} calls"),
        };
        Finding {
            capabilities: vec![capability.clone()],
            explanation: format!("Nobody knows whether {number} of {capability} to its endpoint {endpoint} arrived."),
            mend: "Ask the system about each. Then send it again with `samsyn call retry`, or end it with `samsyn call \
                settle`."
                .to_owned(),
            command: format!("samsyn call list --state unknown --capability {capability} --endpoint {endpoint}"),
            ..Finding::new(Severity::Warning, "calls-unknown")
        }
    };
    all.iter().map(finding).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stuck_for(seconds: u64, cause: StuckCause) -> Vec<Finding> {
        let (capability, endpoint) = ("sync".parse().unwrap(), "members".parse().unwrap());
        stuck(&[Stuck {
            capability,
            endpoint,
            cause,
            why: "the secret crm has no value".to_owned(),
            seconds,
        }])
    }

    #[test]
    fn an_endpoint_that_is_stuck_for_ten_minutes_is_a_finding_with_its_next_step() {
        assert_eq!(stuck_for(599, StuckCause::Failing), []);
        let [failing] = &stuck_for(1_500, StuckCause::Failing)[..] else { panic!() };
        assert_eq!((failing.code, failing.severity), ("endpoint-failing", Severity::Warning));
        assert!(failing.explanation.contains("failing for 25 minutes"), "{failing:?}");
        let [missing] = &stuck_for(600, StuckCause::NotCallable)[..] else { panic!() };
        assert_eq!((missing.code, missing.severity), ("endpoint-not-callable", Severity::Error));
        assert!(missing.explanation.ends_with("for 10 minutes: the secret crm has no value."), "{missing:?}");
        assert_eq!(missing.command, "samsyn endpoint test sync members");
    }

    #[test]
    fn calls_in_doubt_are_a_finding_that_lists_them() {
        let finding = |calls, more| {
            let (capability, endpoint) = ("sync".parse().unwrap(), "members".parse().unwrap());
            let doubtful = doubtful(&[Doubtful { capability, endpoint, calls, more }]).remove(0);
            assert_eq!(
                doubtful.command,
                "samsyn call list --state unknown --capability sync --endpoint members"
            );
            doubtful.explanation
        };
        assert!(finding(1, false).contains("whether 1 call of sync"));
        assert!(finding(7, false).contains("whether 7 calls of sync"));
        assert!(finding(100, true).contains("more than 100 calls"));
    }
}
