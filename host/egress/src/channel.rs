//! Requests to one authority, each sent once: over a kept connection or a new one.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use bytes::Bytes;
use http::uri::PathAndQuery;
use http::{HeaderMap, HeaderValue, Method, Uri, Version, header};
use http_body_util::Full;
use parking_lot::Mutex;
use tokio::time::Instant;
use tokio_rustls::rustls::{ClientConfig, RootCertStore};

use crate::address::Networks;
use crate::base::{Base, Place};
use crate::dial::{Route, proxy_login};
use crate::exchange::{Ended, Live};
use crate::outcome::{NotSent, Unknown};
use crate::pool::Pool;
use crate::resolve::Resolve;
use crate::secret::Scrub;
use crate::steps::{Did, Steps};
use crate::target::{Limits, Proxy};
use crate::tls;

/// What all endpoints of a host share.
pub(crate) struct Shared {
    pub(crate) resolver: Arc<dyn Resolve>,
    pub(crate) scrub: Arc<dyn Scrub>,
    pub(crate) now: fn() -> SystemTime,
    pub(crate) paused: AtomicBool,
    pub(crate) roots: Mutex<Option<Arc<RootCertStore>>>,
}

impl Shared {
    /// The system's certificates, read once.
    pub(crate) fn roots(&self) -> Arc<RootCertStore> {
        Arc::clone(self.roots.lock().get_or_insert_with(tls::system_roots))
    }
}

/// A way to one authority.
pub(crate) struct Channel {
    pub(crate) shared: Arc<Shared>,
    pub(crate) base: Base,
    pub(crate) networks: Networks,
    pub(crate) tls: Option<Arc<ClientConfig>>,
    pub(crate) proxy: Option<Proxy>,
    pub(crate) limits: Limits,
    pub(crate) pool: Pool,
    pub(crate) paused: AtomicBool,
}

/// A request before it is HTTP.
#[derive(Clone)]
pub(crate) struct Draft {
    pub(crate) method: Method,
    pub(crate) place: Place,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Channel {
    pub(crate) fn is_paused(&self) -> bool {
        self.paused.load(Ordering::SeqCst) || self.shared.paused.load(Ordering::SeqCst)
    }

    /// Sends this request, at most once. A kept connection that turned out to be closed before it took a byte is
    /// replaced by a new one; nothing else is ever repeated.
    pub(crate) async fn send(&self, draft: &Draft, deadline: Instant) -> Ended {
        let request = match self.request(draft) {
            Ok(request) => request,
            Err(why) => return Ended::NotSent(why),
        };
        if self.is_paused() {
            return Ended::NotSent(NotSent::Paused);
        }
        if let Some((live, born)) = self.pool.take() {
            let (ended, live) = live.send(request.clone(), &self.limits, deadline).await;
            self.keep(live, born);
            if !matches!(ended, Ended::NotSent(NotSent::Closed(_))) {
                return ended;
            }
        }
        self.send_over_new(request, deadline, &Steps::NONE).await
    }

    /// Sends this request over a new connection, whatever is kept, and says how far it comes.
    pub(crate) async fn send_watched(&self, draft: &Draft, deadline: Instant, steps: &Steps) -> Ended {
        match self.request(draft) {
            Ok(_) if self.is_paused() => Ended::NotSent(NotSent::Paused),
            Ok(request) => self.send_over_new(request, deadline, steps).await,
            Err(why) => Ended::NotSent(why),
        }
    }

    async fn send_over_new(
        &self,
        request: http::Request<Full<Bytes>>,
        deadline: Instant,
        steps: &Steps,
    ) -> Ended {
        let connect = deadline.min(Instant::now() + self.limits.connect);
        let route = Route {
            base: &self.base,
            networks: &self.networks,
            tls: self.tls.as_ref(),
            proxy: self.proxy.as_ref(),
        };
        let link = match route.dial(self.shared.resolver.as_ref(), connect, steps).await {
            Ok(link) => link,
            Err(why) => return Ended::NotSent(why),
        };
        // A pause that was told while the connection was made counts.
        if self.is_paused() {
            return Ended::NotSent(NotSent::Paused);
        }
        let born = Instant::now();
        match Live::new(link, &self.limits).await {
            Err(why) => Ended::NotSent(why),
            Ok(live) => {
                let (ended, live) = live.send(request, &self.limits, deadline).await;
                self.keep(live, born);
                match &ended {
                    Ended::Response(raw) => steps.add(|| Did::Answer(raw.status.as_u16())),
                    Ended::Unknown(Unknown { status: Some(status), .. }) => {
                        steps.add(|| Did::Answer(*status))
                    }
                    _ => {}
                }
                ended
            }
        }
    }

    fn keep(&self, live: Option<Live>, born: Instant) {
        if let Some(live) = live
            && !self.is_paused()
        {
            self.pool.put(live, born);
        }
    }

    fn request(&self, draft: &Draft) -> Result<http::Request<Full<Bytes>>, NotSent> {
        let refused = || NotSent::Place(crate::base::BadPlace::Character);
        let path = PathAndQuery::try_from(draft.place.path_and_query()).map_err(|_| refused())?;
        let through_proxy = self.proxy.as_ref().filter(|_| self.tls.is_none());
        let uri = match through_proxy {
            None => Uri::from(path),
            Some(_) => Uri::builder()
                .scheme("http")
                .authority(self.base.authority())
                .path_and_query(path)
                .build()
                .map_err(|_| refused())?,
        };
        let mut request = http::Request::new(Full::new(draft.body.clone()));
        *request.method_mut() = draft.method.clone();
        *request.uri_mut() = uri;
        *request.version_mut() = Version::HTTP_11;
        let headers = request.headers_mut();
        let host = HeaderValue::from_str(&self.base.authority()).map_err(|_| refused())?;
        headers.insert(header::HOST, host);
        headers.extend(draft.headers.clone());
        if draft.body.is_empty() && [Method::POST, Method::PUT, Method::PATCH].contains(&draft.method) {
            // Else servers answer 411 to a method that usually has a body.
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from_static("0"));
        }
        if let Some(login) = through_proxy.and_then(proxy_login) {
            let mut login = HeaderValue::from_str(&login)
                .map_err(|_| NotSent::Credential("the proxy's login is no header"))?;
            login.set_sensitive(true);
            headers.insert(header::PROXY_AUTHORIZATION, login);
        }
        Ok(request)
    }
}
