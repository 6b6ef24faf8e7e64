//! `bench-peer`: the rest of the fediverse, for the benchmark of federation. Hosts are addresses of the loopback
//! (127.0.1.1 and on), one server for all of them; actors are `/users/aN`, spread over the hosts, and sign with one key.
//! Orders of the benchmark come in at `/-/`.

mod actors;
mod crowd;
mod inbox;

use actors::World;
use anyhow::Context as _;
use bytes::Bytes;
use clap::Parser;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::{TokioIo, TokioTimer};
use inbox::Inbox;
use serde_json::json;
use std::collections::HashMap;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::net::TcpListener;

/// Be many other servers, for the benchmark of federation
#[derive(Debug, Parser)]
#[command(after_help = "\
Example:
  bench-peer --port 9100 --noren http://127.0.0.1:3000 --hosts 200

scripts/bench-federation does all of it.")]
struct Arguments {
    #[arg(long, value_name = "NUMBER")]
    port: u16,
    /// The server that is measured
    #[arg(long, value_name = "URL")]
    noren: String,
    /// So many addresses, from 127.0.1.1 on
    #[arg(long, value_name = "NUMBER", default_value_t = 200)]
    hosts: u32,
}

/// What all connections share.
struct Peer {
    world: World,
    inbox: Inbox,
    /// Requests that wait for the sign.
    made: Mutex<Vec<Vec<u8>>>,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime");
    match runtime.and_then(|runtime| runtime.block_on(serve(&arguments))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            let _ = std::io::Write::write_fmt(&mut std::io::stderr(), format_args!("error: {error:#}\n"));
            ExitCode::FAILURE
        }
    }
}

async fn serve(arguments: &Arguments) -> anyhow::Result<()> {
    let world = World::new(&arguments.noren, arguments.hosts, arguments.port)?;
    let peer = Arc::new(Peer { world, inbox: Inbox::default(), made: Mutex::default() });
    let listener = TcpListener::bind(("0.0.0.0", arguments.port)).await.context("cannot listen")?;
    loop {
        let Ok((socket, _)) = listener.accept().await else { continue };
        let _ = socket.set_nodelay(true);
        let peer = peer.clone();
        let answer = service_fn(move |request| answer(peer.clone(), request));
        let connection = http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(socket), answer);
        tokio::spawn(async move {
            let _ = connection.await;
        });
    }
}

type Answer = Response<Full<Bytes>>;

async fn answer(peer: Arc<Peer>, request: Request<Incoming>) -> anyhow::Result<Answer> {
    let path = request.uri().path().to_owned();
    let host = request.headers().get(header::HOST).and_then(|host| host.to_str().ok()).unwrap_or_default().to_owned();
    if let Some(order) = path.strip_prefix("/-/") {
        let wanted = wanted(request.uri().query().unwrap_or_default());
        return Ok(match obey(&peer, order, &wanted).await {
            Ok(value) => documented("application/json", &value),
            Err(error) => plain(StatusCode::INTERNAL_SERVER_ERROR, format!("{error:#}")),
        });
    }
    if *request.method() == Method::POST {
        return inbox::take(&peer, &host, request).await;
    }
    if path == "/.well-known/webfinger" {
        let asked = wanted(request.uri().query().unwrap_or_default());
        let named = asked.get("resource").and_then(|resource| peer.world.finger(resource));
        return Ok(named.map_or_else(missing, |value| documented("application/jrd+json", &value)));
    }
    let document = path.strip_prefix("/users/a").and_then(|name| peer.world.document(&host, name));
    Ok(document.map_or_else(missing, |value| documented("application/activity+json", &value)))
}

/// What the benchmark may ask for.
async fn obey(peer: &Arc<Peer>, order: &str, wanted: &HashMap<String, String>) -> anyhow::Result<serde_json::Value> {
    let number = |name: &str| -> anyhow::Result<usize> {
        wanted.get(name).with_context(|| format!("{name} is missing"))?.parse().context("not a number")
    };
    match order {
        "names" => Ok(json!((0..number("count")?).map(|n| peer.world.acct(n)).collect::<Vec<_>>())),
        // Signing takes longer than what is measured, so that it comes first.
        "make" => {
            let count = number("count")?;
            let requests = match wanted.get("target") {
                Some(target) => (0..count).map(|n| peer.world.follow(n, target)).collect::<anyhow::Result<Vec<_>>>()?,
                None => {
                    let of = number("actors")?.max(1);
                    (0..count).map(|n| peer.world.create(n % of)).collect::<anyhow::Result<Vec<_>>>()?
                }
            };
            *lock(&peer.made) = requests;
            Ok(json!({}))
        }
        "send" => {
            let requests = std::mem::take(&mut *lock(&peer.made));
            crowd::send(&peer.world, requests, number("connections")?).await
        }
        "expect" => {
            peer.inbox.expect(&peer.world, number("dead")?, number("slow")?);
            Ok(json!({}))
        }
        "arrived" => Ok(peer.inbox.arrived()),
        _ => anyhow::bail!("no such order"),
    }
}

fn wanted(query: &str) -> HashMap<String, String> {
    url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

fn documented(kind: &'static str, value: &serde_json::Value) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(value.to_string())));
    answer.headers_mut().insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    answer
}

fn plain(status: StatusCode, text: String) -> Answer {
    let mut answer = Response::new(Full::new(Bytes::from(text)));
    *answer.status_mut() = status;
    answer
}

fn missing() -> Answer {
    plain(StatusCode::NOT_FOUND, String::new())
}
