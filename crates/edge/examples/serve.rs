//! Serves a folder, to measure: `cargo run --release -p edge --example serve -- FOLDER 127.0.0.1:8080`.

use std::error::Error;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().ok_or("which folder?")?;
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let listener = tokio::net::TcpListener::bind(address).await?;
    let router = edge::local(media::Store::disk(folder)?, "/media");
    axum::serve(listener, router).await?;
    Ok(())
}
