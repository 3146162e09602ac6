//! `samsyn endpoint test`: one request that changes nothing, and how far it comes.

use clap::{Args, ValueEnum};

use super::EndpointArgs;
use samsyn_terminal::context::Context;
use samsyn_terminal::error::CliError;
use samsyn_terminal::output::{Paint, plain};
use samsyn_wire::{EndpointTest, EndpointTestStep};

pub const EXAMPLES: &str = "\
Examples:
  samsyn endpoint test crm api
  samsyn endpoint test crm api --method GET --path customers/1
  samsyn endpoint test crm api --json

The host sends one HEAD or GET with the endpoint's own credentials, over a new connection, and only a method
that is granted. While the endpoint or all sending is paused, nothing is sent. The output has neither a
secret nor the body of the answer.

Exit codes:
  0  the system answered with a status below 400
  1  it didn't; the output shows how far the request came, and what to do";

/// The arguments of `samsyn endpoint test`.
#[derive(Debug, Clone, Args)]
pub struct TestArgs {
    #[command(flatten)]
    pub endpoint: EndpointArgs,
    /// The method [default: HEAD if it is granted, else GET]
    #[arg(long, value_enum, ignore_case = true)]
    pub method: Option<TestMethod>,
    /// The path below the endpoint's URL [default: the URL itself]
    #[arg(long, value_name = "PATH")]
    pub path: Option<String>,
}

/// A method that changes nothing in a system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "UPPER")]
pub enum TestMethod {
    /// With an answer's body, which isn't shown
    Get,
    /// Without one
    Head,
}

/// Tests an endpoint; fails when the system can't be called.
pub fn run(args: &TestArgs, context: &Context) -> Result<(), CliError> {
    let EndpointArgs { capability, name } = &args.endpoint;
    let method = args.method.map(|method| match method {
        TestMethod::Get => "GET",
        TestMethod::Head => "HEAD",
    });
    let answer = context.client()?.test_endpoint(capability, name, method, args.path.as_deref())?;
    context.answer(&answer.raw, |paint| text(&answer.body, paint))?;
    if answer.body.ok {
        return Ok(());
    }
    let failed = CliError::refused(format!("the test of {}/{} failed", plain(capability), plain(name)));
    let failed = failed.because(plain(&answer.body.message));
    Err(match &answer.body.next {
        Some(next) => failed.next(plain(next)),
        None => failed,
    })
}

fn text(test: &EndpointTest, paint: Paint) -> String {
    let EndpointTest { method, url, ok, message, steps, took_ms, .. } = test;
    let method = method.as_deref().unwrap_or("no method");
    let mut text = format!("{}\n", paint.strong(&format!("{} {}", plain(method), plain(url))));
    for step in steps {
        text += &format!("  {:>6} ms  {}\n", step.after_ms, step_text(step));
    }
    let message = plain(message);
    let message = if *ok { paint.good(&message) } else { paint.bad(&message) };
    text + &format!("  {took_ms:>6} ms  {message}\n")
}

fn step_text(EndpointTestStep { step, detail, .. }: &EndpointTestStep) -> String {
    let detail = plain(detail);
    match step.as_str() {
        "token" => "got an access token".to_owned(),
        "addresses" => format!("the addresses are allowed: {detail}"),
        "connected" => format!("connected to {detail}"),
        "tunnel" => "the proxy opened a tunnel".to_owned(),
        "tls" => format!("encrypted with {}", detail.replace("TLSv1_", "TLS 1.")),
        "answer" => format!("answer {detail}"),
        other => format!("{} {detail}", plain(other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_test_shows_how_far_it_came() {
        let test: EndpointTest = serde_json::from_str(
            r#"{"method": "HEAD", "url": "https://a.example/", "ok": false, "sent": "answered", "status": 401,
                "message": "the system refuses the credentials (401)", "took_ms": 63, "steps": [
                {"step": "addresses", "detail": "203.0.113.7", "after_ms": 3},
                {"step": "connected", "detail": "203.0.113.7:443", "after_ms": 15},
                {"step": "tls", "detail": "TLSv1_3", "after_ms": 41}, {"step": "answer", "detail": "401", "after_ms": 63}]}"#,
        )
        .unwrap();
        assert_eq!(
            text(&test, Paint(false)),
            "HEAD https://a.example/\n\
             \x20      3 ms  the addresses are allowed: 203.0.113.7\n\
             \x20     15 ms  connected to 203.0.113.7:443\n\
             \x20     41 ms  encrypted with TLS 1.3\n\
             \x20     63 ms  answer 401\n\
             \x20     63 ms  the system refuses the credentials (401)\n"
        );
    }
}
