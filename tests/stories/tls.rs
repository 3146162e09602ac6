//! TLS: a certificate of one's own, another one without a restart, and no way around it by accident.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use samsyn_harness::world::{Said, World, samsyn, until};

/// A certificate for this machine, and its key, in files of this directory.
fn certify(directory: &Path) {
    let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
    let pair = rcgen::generate_simple_self_signed(names).expect("a certificate can be made");
    std::fs::write(directory.join("cert.pem"), pair.cert.pem()).expect("it can be written");
    std::fs::write(directory.join("key.pem"), pair.signing_key.serialize_pem()).expect("it can be written");
}

fn said(command: &mut Command) -> Said {
    Said::of(command.output().expect("the command can be run"))
}

#[test]
fn a_host_with_a_certificate_is_called_over_tls() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let path = |name: &str| directory.path().join(name).to_str().expect("its path is text").to_owned();
    certify(directory.path());
    let mut world =
        World::with(&[("SAMSYN_TLS_CERTIFICATE", &path("cert.pem")), ("SAMSYN_TLS_KEY", &path("key.pem"))]);
    assert!(world.url.starts_with("https://"), "{}", world.url);
    let status = |ca: &str| said(world.command(&["status", "--json"]).env("SAMSYN_CA", ca));
    assert!(status(&path("cert.pem")).ok().json()["version"].is_string());
    let named = world.url.replace("127.0.0.1", "localhost");
    world.run(&["status", "--host", &named, "--ca", &path("cert.pem")]).ok();

    let untrusted = world.run(&["status"]);
    assert_eq!(untrusted.code, Some(3), "{untrusted:#?}");
    assert!(untrusted.err.contains("is not trusted") && untrusted.err.contains("--ca"), "{untrusted:#?}");
    let plain = world.url.replace("https://", "http://");
    assert_eq!(world.run(&["status", "--host", &plain]).code, Some(3));
    assert_eq!(status(&path("key.pem")).code, Some(2));

    // Another certificate in the same place: used when the host is told, and the old one is not.
    std::fs::rename(path("cert.pem"), path("old.pem")).expect("it can be moved");
    certify(directory.path());
    assert_eq!(status(&path("cert.pem")).code, Some(3));
    status(&path("old.pem")).ok();
    world.signal("HUP");
    until("the new certificate is used", || (status(&path("cert.pem")).code == Some(0)).then_some(()));
    assert_eq!(status(&path("old.pem")).code, Some(3));
    // One that can't be used is said in the log, and changes nothing.
    std::fs::write(path("cert.pem.kept"), std::fs::read(path("cert.pem")).expect("it is there"))
        .expect("it can be written");
    std::fs::write(path("cert.pem"), "half a file").expect("it can be written");
    world.signal("HUP");
    until("it is said", || world.log().contains("the old one stays").then_some(()));
    status(&path("cert.pem.kept")).ok();
    assert!(world.stop().success());
}

#[test]
fn nobody_listens_beyond_loopback_without_tls_by_accident() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    let serve = |settings: &[(&str, &str)]| {
        let mut command = samsyn(directory.path());
        command.args(["serve", "--listen", "0.0.0.0:0", "--data", "data"]).envs(settings.iter().copied());
        command
    };
    let refused = said(&mut serve(&[]));
    assert_eq!(refused.code, Some(1), "{refused:#?}");
    assert!(
        refused.err.contains("not a loopback address") && refused.err.contains("insecure_listen"),
        "{refused:#?}"
    );
    assert!(!directory.path().join("data").exists(), "nothing is touched");
    let half = said(&mut serve(&[("SAMSYN_TLS_KEY", "key.pem")]));
    assert!(half.code == Some(1) && half.err.contains("tls.certificate"), "{half:#?}");
    let mut insecure = serve(&[("SAMSYN_INSECURE_LISTEN", "true")]);
    let mut child =
        insecure.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().expect("the command can be started");
    let mut line = String::new();
    let out = child.stdout.take().expect("its output is piped");
    BufReader::new(out).read_line(&mut line).expect("its output can be read");
    child.kill().and_then(|()| child.wait()).expect("it can be ended");
    assert!(line.contains("http://0.0.0.0:"), "{line}");
}
