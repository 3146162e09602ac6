//! Whom the command trusts at the other end of an `https://` address.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::rustls::crypto;
use ureq::tls::{Certificate, PemItem, RootCerts, TlsConfig, TlsProvider, parse_pem};

use super::ClientError;

/// TLS that trusts the certificates of this PEM file, or else those of the system.
pub(super) fn config(ca: Option<&Path>) -> Result<TlsConfig, ClientError> {
    let certificates = match ca {
        Some(path) => read(path)?,
        None => system(),
    };
    Ok(TlsConfig::builder()
        .provider(TlsProvider::Rustls)
        .unversioned_rustls_crypto_provider(Arc::new(crypto::ring::default_provider()))
        .root_certs(RootCerts::Specific(Arc::new(certificates)))
        .build())
}

fn read(path: &Path) -> Result<Vec<Certificate<'static>>, ClientError> {
    let bad = |why: String| ClientError::BadCa { path: path.display().to_string(), why };
    let pem = std::fs::read(path).map_err(|cause| bad(cause.to_string()))?;
    let mut certificates = Vec::new();
    for item in parse_pem(&pem) {
        if let PemItem::Certificate(certificate) = item.map_err(|cause| bad(cause.to_string()))? {
            certificates.push(certificate);
        }
    }
    if certificates.is_empty() {
        return Err(bad("it has no PEM section CERTIFICATE".to_owned()));
    }
    Ok(certificates)
}

/// What of the system's certificates can't be read is left out: then fewer hosts are trusted.
fn system() -> Vec<Certificate<'static>> {
    let found = rustls_native_certs::load_native_certs().certs;
    found.iter().map(|certificate| Certificate::from_der(certificate.as_ref()).to_owned()).collect()
}
