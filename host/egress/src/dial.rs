//! From an endpoint to a connection: look up, check, connect, ask the proxy, agree on TLS.
//!
//! The address that was checked is the one that is connected to. No name is given to anything that would look it up
//! again, but to a proxy, and there as [`Lookup`] says.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use data_encoding::BASE64;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::ClientConfig;

use crate::address::{Networks, check_all};
use crate::base::{Base, Destination};
use crate::outcome::NotSent;
use crate::resolve::Resolve;
use crate::steps::{Did, Steps};
use crate::target::{Lookup, Proxy};
use crate::tls::server_name;
use crate::wire::{Meter, Metered};

/// Bytes that a TLS handshake may bring: certificate chains are some kilobytes.
const HANDSHAKE_MAX: u64 = 256 * 1024;
/// Bytes of a proxy's answer to CONNECT.
const PROXY_HEAD_MAX: usize = 8 * 1024;
/// Addresses of a name that are tried.
const TRIED_MAX: usize = 6;
/// Addresses of a name that are checked; a name with more is refused.
const ADDRESSES_MAX: usize = 64;

/// A connection that may carry requests.
pub(crate) struct Link {
    pub(crate) io: Io,
    pub(crate) meter: Arc<Meter>,
    /// The same socket, to look whether the peer closed it.
    pub(crate) probe: std::net::TcpStream,
}

/// Its bytes.
pub(crate) enum Io {
    Plain(Metered),
    Tls(Box<TlsStream<Metered>>),
}

/// What is dialled.
pub(crate) struct Route<'a> {
    pub(crate) base: &'a Base,
    pub(crate) networks: &'a Networks,
    pub(crate) tls: Option<&'a Arc<ClientConfig>>,
    pub(crate) proxy: Option<&'a Proxy>,
}

impl Route<'_> {
    /// A new connection, until `deadline`.
    pub(crate) async fn dial(
        &self,
        resolver: &dyn Resolve,
        deadline: Instant,
        steps: &Steps,
    ) -> Result<Link, NotSent> {
        let host = self.base.host();
        let (metered, meter, probe) = match self.proxy {
            None => {
                let addresses = addresses(resolver, &host, self.networks, deadline).await?;
                steps.add(|| Did::Addresses(addresses.clone()));
                let stream = connect(&addresses, self.base.port(), &self.base.authority(), deadline).await?;
                connected(&stream, steps);
                metered(stream)?
            }
            Some(proxy) => self.through(proxy, &host, (resolver, deadline), steps).await?,
        };
        let Some(config) = self.tls else {
            return Ok(Link { io: Io::Plain(metered), meter, probe });
        };
        let to = self.base.authority();
        let tls = |why: String| NotSent::Tls { to: to.clone(), why };
        let name =
            server_name(&host).ok_or_else(|| tls("the host is no name for a certificate".to_owned()))?;
        meter.allow(HANDSHAKE_MAX);
        let handshake = TlsConnector::from(Arc::clone(config)).connect(name, metered);
        match timeout_at(deadline, handshake).await {
            Ok(Ok(stream)) => {
                let version = stream.get_ref().1.protocol_version().and_then(|version| version.as_str());
                steps.add(|| Did::Tls(version.unwrap_or("TLS")));
                Ok(Link { io: Io::Tls(Box::new(stream)), meter, probe })
            }
            Ok(Err(error)) => Err(tls(error.to_string())),
            Err(_) => Err(tls("the handshake took too long".to_owned())),
        }
    }

    async fn through(
        &self,
        proxy: &Proxy,
        host: &Destination,
        (resolver, deadline): (&dyn Resolve, Instant),
        steps: &Steps,
    ) -> Result<Counted, NotSent> {
        // What the proxy would be asked for is checked first: nothing is said to it of a refused address.
        let behind = match (proxy.lookup, host) {
            (Lookup::Proxy, Destination::Name(_)) => Vec::new(),
            _ => addresses(resolver, host, self.networks, deadline).await?,
        };
        if !behind.is_empty() {
            steps.add(|| Did::Addresses(behind.clone()));
        }
        let own = addresses(resolver, &proxy.base.host(), &proxy.networks, deadline).await?;
        steps.add(|| Did::Addresses(own.clone()));
        let targets: Vec<String> = match (behind.as_slice(), self.tls) {
            ([], _) | (_, None) => vec![with_port(host, self.base.port())],
            (behind, Some(_)) => {
                let at = |address: &IpAddr| SocketAddr::new(*address, self.base.port()).to_string();
                behind.iter().take(TRIED_MAX).map(at).collect()
            }
        };
        let mut refused = None;
        for target in targets {
            let stream = connect(&own, proxy.base.port(), &proxy.base.authority(), deadline).await?;
            connected(&stream, steps);
            let (mut metered, meter, probe) = metered(stream)?;
            if self.tls.is_none() {
                return Ok((metered, meter, probe));
            }
            match timeout_at(deadline, tunnel(&mut metered, &target, proxy)).await {
                Ok(Ok(())) => {
                    steps.add(|| Did::Tunnel);
                    return Ok((metered, meter, probe));
                }
                Ok(Err(why)) => refused = Some(why),
                Err(_) => return Err(NotSent::Proxy("it took too long".to_owned())),
            }
        }
        Err(NotSent::Proxy(refused.unwrap_or_default()))
    }
}

/// All addresses of a host, each of them allowed.
async fn addresses(
    resolver: &dyn Resolve,
    host: &Destination,
    networks: &Networks,
    deadline: Instant,
) -> Result<Vec<IpAddr>, NotSent> {
    let found = match host {
        Destination::Address(address) => vec![*address],
        Destination::Name(name) => {
            let dns = |why: &str| NotSent::Dns { name: name.clone(), why: why.to_owned() };
            let found = timeout_at(deadline, resolver.resolve(name)).await;
            let found =
                found.map_err(|_| dns("it took too long"))?.map_err(|error| dns(&error.to_string()))?;
            if found.is_empty() {
                return Err(dns("it has no address"));
            }
            if found.len() > ADDRESSES_MAX {
                return Err(dns("it has more than 64 addresses"));
            }
            found
        }
    };
    check_all(&found, networks).map_err(|why| NotSent::Address { name: host.to_string(), why })?;
    Ok(found)
}

/// A connection to the first address that takes one. Each gets its share of the time that is left.
async fn connect(addresses: &[IpAddr], port: u16, to: &str, deadline: Instant) -> Result<TcpStream, NotSent> {
    let mut why = "it has no address".to_owned();
    let tried = addresses.len().min(TRIED_MAX);
    for (number, address) in addresses.iter().take(tried).enumerate() {
        let left = deadline.saturating_duration_since(Instant::now());
        let share = left / u32::try_from(tried - number).unwrap_or(1).max(1);
        let share = share.max(Duration::from_millis(1));
        match tokio::time::timeout(share, TcpStream::connect(SocketAddr::new(*address, port))).await {
            Ok(Ok(stream)) => {
                // A request is written at once and waited for: it mustn't wait for more.
                let _ = stream.set_nodelay(true);
                return Ok(stream);
            }
            Ok(Err(error)) => why = format!("{address}: {error}"),
            Err(_) => why = format!("{address}: it took too long"),
        }
    }
    Err(NotSent::Connect { to: to.to_owned(), why })
}

fn connected(stream: &TcpStream, steps: &Steps) {
    if let Ok(peer) = stream.peer_addr() {
        steps.add(|| Did::Connected(peer));
    }
}

type Counted = (Metered, Arc<Meter>, std::net::TcpStream);

fn metered(stream: TcpStream) -> Result<Counted, NotSent> {
    use std::os::fd::AsFd;
    let probe = stream.as_fd().try_clone_to_owned().map_err(|error| NotSent::Connect {
        to: "the peer".to_owned(),
        why: format!("no file descriptor is left: {error}"),
    })?;
    let (metered, meter) = Metered::new(stream, HANDSHAKE_MAX);
    Ok((metered, meter, probe.into()))
}

fn with_port(host: &Destination, port: u16) -> String {
    match host {
        Destination::Name(name) => format!("{name}:{port}"),
        Destination::Address(address) => SocketAddr::new(*address, port).to_string(),
    }
}

/// The value of `Proxy-Authorization`.
pub(crate) fn proxy_login(proxy: &Proxy) -> Option<String> {
    let (user, password) = proxy.login.as_ref()?;
    Some(format!("Basic {}", BASE64.encode(format!("{user}:{}", password.expose()).as_bytes())))
}

/// Asks the proxy for a tunnel.
async fn tunnel(stream: &mut Metered, target: &str, proxy: &Proxy) -> Result<(), String> {
    let login =
        proxy_login(proxy).map(|login| format!("Proxy-Authorization: {login}\r\n")).unwrap_or_default();
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{login}\r\n");
    let io = |error: io::Error| error.to_string();
    stream.write_all(request.as_bytes()).await.map_err(io)?;
    let mut head = Vec::new();
    let mut buffer = [0; 1024];
    let end = loop {
        if let Some(at) = head.windows(4).position(|window| window == b"\r\n\r\n") {
            break at + 4;
        }
        if head.len() > PROXY_HEAD_MAX {
            return Err("its answer has no end".to_owned());
        }
        match stream.read(&mut buffer).await.map_err(io)? {
            0 => return Err("it closed the connection".to_owned()),
            read => head.extend_from_slice(&buffer[..read]),
        }
    };
    if head.len() > end {
        return Err("it sent something before TLS began".to_owned());
    }
    let line = head.split(|byte| *byte == b'\r').next().unwrap_or_default();
    let line = String::from_utf8_lossy(line);
    let status =
        line.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).and_then(|s| s.parse::<u16>().ok());
    match status {
        Some(200..=299) => Ok(()),
        Some(407) => Err("it wants another login (407)".to_owned()),
        Some(status) => Err(format!("it answered {status}")),
        None => Err("its answer is no HTTP".to_owned()),
    }
}

impl AsyncRead for Io {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Io::Plain(stream) => Pin::new(stream).poll_read(cx, buf),
            Io::Tls(stream) => Pin::new(stream.as_mut()).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Io {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Io::Plain(stream) => Pin::new(stream).poll_write(cx, buf),
            Io::Tls(stream) => Pin::new(stream.as_mut()).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Io::Plain(stream) => Pin::new(stream).poll_write_vectored(cx, bufs),
            Io::Tls(stream) => Pin::new(stream.as_mut()).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Io::Plain(stream) => stream.is_write_vectored(),
            Io::Tls(stream) => stream.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Io::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Io::Tls(stream) => Pin::new(stream.as_mut()).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Io::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Io::Tls(stream) => Pin::new(stream.as_mut()).poll_shutdown(cx),
        }
    }
}
