//! Whom a connection trusts, and what the host shows of itself.

use std::sync::Arc;

use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, crypto};

use crate::base::Destination;
use crate::target::{ClientCertificate, Trust};

/// Why an endpoint has no TLS.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadTls {
    /// The CA's PEM text holds no certificate that can be used.
    #[error("the CA file has no usable certificate: {0}")]
    Ca(String),
    /// The system has no certificates.
    #[error("this system has no CA certificates; install them (ca-certificates), or bind a CA file")]
    NoSystemCa,
    /// The client certificate or its key can't be used. No part of the key is told.
    #[error("the client certificate can't be used: {0}")]
    Client(&'static str),
}

/// TLS 1.2 and 1.3 with ring, HTTP/1.1 inside. Sessions are resumed within one endpoint alone, and nothing is sent
/// before the handshake ended: early data can be replayed.
pub(crate) fn config(
    trust: &Trust,
    client: Option<&ClientCertificate>,
    system: impl FnOnce() -> Arc<RootCertStore>,
) -> Result<Arc<ClientConfig>, BadTls> {
    let roots = match trust {
        Trust::System => system(),
        Trust::Own(pem) => Arc::new(own(pem)?),
    };
    if roots.is_empty() {
        return Err(BadTls::NoSystemCa);
    }
    let builder = ClientConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| BadTls::Ca(error.to_string()))?
        .with_root_certificates(roots);
    let mut config = match client {
        None => builder.with_no_client_auth(),
        Some(client) => {
            let (chain, key) = client_pair(client)?;
            builder
                .with_client_auth_cert(chain, key)
                .map_err(|_| BadTls::Client("certificate and key don't go together"))?
        }
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    config.enable_early_data = false;
    Ok(Arc::new(config))
}

fn own(pem: &[u8]) -> Result<RootCertStore, BadTls> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| BadTls::Ca(error.to_string()))?;
        roots.add(certificate).map_err(|error| BadTls::Ca(error.to_string()))?;
    }
    if roots.is_empty() {
        return Err(BadTls::Ca("it has no PEM section CERTIFICATE".to_owned()));
    }
    Ok(roots)
}

type Pair = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn client_pair(client: &ClientCertificate) -> Result<Pair, BadTls> {
    let chain: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&client.chain).collect();
    let chain = chain.map_err(|_| BadTls::Client("its chain is no PEM"))?;
    if chain.is_empty() {
        return Err(BadTls::Client("its chain has no PEM section CERTIFICATE"));
    }
    let key = PrivateKeyDer::from_pem_slice(client.key.expose().as_bytes())
        .map_err(|_| BadTls::Client("its key has no PEM section PRIVATE KEY"))?;
    Ok((chain, key))
}

/// The system's certificates. What can't be read is left out: then fewer peers are trusted.
pub(crate) fn system_roots() -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    Arc::new(roots)
}

/// The name that the peer's certificate must be for: the base's host, whatever address was connected to.
pub(crate) fn server_name(host: &Destination) -> Option<ServerName<'static>> {
    match host {
        Destination::Name(name) => ServerName::try_from(name.clone()).ok(),
        Destination::Address(address) => Some(ServerName::IpAddress((*address).into())),
    }
}
