//! TLS for clients: a certificate and its key from files, read again when told to.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use arc_swap::ArcSwap;
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio_rustls::rustls::{self, ServerConfig, crypto};
use tokio_rustls::{Accept, TlsAcceptor};

/// What is spoken inside, in the order of preference.
const PROTOCOLS: [&[u8]; 2] = [b"h2", b"http/1.1"];

/// Why there can be no TLS.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// One file is named, but not the other.
    #[error("TLS needs both `tls.certificate` and `tls.key`, and only one is set")]
    Half,
    /// A file can't be read, or holds nothing of use.
    #[error("{path} contains no valid {what}: {cause}")]
    File {
        /// The file.
        path: PathBuf,
        /// What should be in it.
        what: &'static str,
        /// Why it isn't.
        cause: String,
    },
    /// Certificate and key don't go together, or can't be used.
    #[error("{certificate} and {key} don't match: {cause}")]
    Pair {
        /// The certificate's file.
        certificate: PathBuf,
        /// The key's file.
        key: PathBuf,
        /// Why not.
        cause: rustls::Error,
    },
}

/// A certificate and its key, and where they come from.
pub struct Tls {
    certificate: PathBuf,
    key: PathBuf,
    config: ArcSwap<ServerConfig>,
}

impl Tls {
    /// Reads the certificate chain and the key, both PEM. Empty paths are none.
    pub fn open(certificate: &Path, key: &Path) -> Result<Option<Tls>, TlsError> {
        match (certificate.as_os_str().is_empty(), key.as_os_str().is_empty()) {
            (true, true) => return Ok(None),
            (false, false) => {}
            _ => return Err(TlsError::Half),
        }
        let config = ArcSwap::from_pointee(read(certificate, key)?);
        Ok(Some(Tls { certificate: certificate.to_owned(), key: key.to_owned(), config }))
    }

    /// Reads both files again. Connections made from now on get the new certificate; when it can't
    /// be used the old one stays.
    pub fn reload(&self) -> Result<(), TlsError> {
        self.config.store(Arc::new(read(&self.certificate, &self.key)?));
        Ok(())
    }

    /// The start of a connection's handshake.
    pub(super) fn accept(&self, stream: TcpStream) -> Accept<TcpStream> {
        TlsAcceptor::from(self.config.load_full()).accept(stream)
    }
}

fn read(certificate: &Path, key: &Path) -> Result<ServerConfig, TlsError> {
    let file = |path: &Path, what, cause: String| TlsError::File { path: path.to_owned(), what, cause };
    let wrong_chain = |cause: String| file(certificate, "certificate", cause);
    let pem = std::fs::read(certificate).map_err(|error| wrong_chain(error.to_string()))?;
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_slice_iter(&pem)
        .collect::<Result<_, _>>()
        .map_err(|error| wrong_chain(error.to_string()))?;
    if chain.is_empty() {
        return Err(wrong_chain("it has no PEM section CERTIFICATE".to_owned()));
    }
    let wrong_key = |cause: String| file(key, "private key", cause);
    let pem = std::fs::read(key).map_err(|error| wrong_key(error.to_string()))?;
    let secret = PrivateKeyDer::from_pem_slice(&pem).map_err(|error| wrong_key(error.to_string()))?;
    let pair = |cause| TlsError::Pair { certificate: certificate.to_owned(), key: key.to_owned(), cause };
    let mut config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(pair)?
        .with_no_client_auth()
        .with_single_cert(chain, secret)
        .map_err(pair)?;
    config.alpn_protocols = PROTOCOLS.map(<[u8]>::to_vec).to_vec();
    Ok(config)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_used_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        let pair = || rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (one, other) = (pair(), pair());
        std::fs::write(path("cert"), one.cert.pem()).unwrap();
        std::fs::write(path("key"), one.signing_key.serialize_pem()).unwrap();
        std::fs::write(path("other"), other.signing_key.serialize_pem()).unwrap();
        let open = |cert: &str, key: &str| Tls::open(&path(cert), &path(key));
        assert!(open("cert", "key").unwrap().is_some());
        assert!(Tls::open(Path::new(""), Path::new("")).unwrap().is_none());
        assert!(matches!(Tls::open(&path("cert"), Path::new("")), Err(TlsError::Half)));
        assert!(matches!(open("cert", "other"), Err(TlsError::Pair { .. })));
        assert!(matches!(open("key", "key"), Err(TlsError::File { what: "certificate", .. })));
        assert!(matches!(open("cert", "cert"), Err(TlsError::File { what: "private key", .. })));
        assert!(matches!(open("missing", "key"), Err(TlsError::File { what: "certificate", .. })));
    }

    #[test]
    fn a_certificate_that_cannot_be_used_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        let (cert, key) = (folder.path().join("cert"), folder.path().join("key"));
        let pair = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        std::fs::write(&cert, pair.cert.pem()).unwrap();
        std::fs::write(&key, pair.signing_key.serialize_pem()).unwrap();
        let tls = Tls::open(&cert, &key).unwrap().unwrap();
        let before = tls.config.load_full();
        std::fs::write(&cert, "half a file").unwrap();
        assert!(tls.reload().is_err());
        assert!(Arc::ptr_eq(&before, &tls.config.load()));
        std::fs::write(&cert, pair.cert.pem()).unwrap();
        tls.reload().unwrap();
        assert!(!Arc::ptr_eq(&before, &tls.config.load()));
    }
}
