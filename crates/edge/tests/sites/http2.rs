//! One request of HTTP/2, made of any bytes, and what is heard of it. No library would send what is sent here.

use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RST_STREAM: u8 = 3;
const SETTINGS: u8 = 4;
const GOAWAY: u8 = 7;
/// Flags.
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

/// An answer; its status is 0 where the stream or the connection was ended instead.
#[derive(Debug, Default)]
pub struct Heard {
    pub status: u16,
    pub body: Vec<u8>,
}

impl Heard {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// A request with these fields and no body.
pub async fn request(mut stream: impl AsyncRead + AsyncWrite + Unpin, fields: &[(&[u8], &[u8])]) -> Heard {
    let mut block = Vec::new();
    for (name, value) in fields {
        // As it is, without a table.
        block.push(0);
        for text in [name, value] {
            length(&mut block, text.len());
            block.extend_from_slice(text);
        }
    }
    let head = frame(HEADERS, END_HEADERS | END_STREAM, 1, &block);
    stream.write_all(&[PREFACE, &frame(SETTINGS, 0, 0, &[]), &head].concat()).await.unwrap();
    let mut heard = Heard::default();
    let listening = listen(&mut stream, &mut heard);
    tokio::time::timeout(Duration::from_secs(60), listening).await.expect("an answer, or an end");
    heard
}

/// Until the stream or the connection ends.
async fn listen(stream: &mut (impl AsyncRead + Unpin), heard: &mut Heard) {
    let mut head = [0; 9];
    while stream.read_exact(&mut head).await.is_ok() {
        let [a, b, c, kind, flags, id @ ..] = head;
        let mut payload = vec![0; usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c)];
        if stream.read_exact(&mut payload).await.is_err() {
            return;
        }
        match (kind, u32::from_be_bytes(id)) {
            (HEADERS, 1) => heard.status = status(&payload),
            (DATA, 1) => heard.body.extend_from_slice(&payload),
            (RST_STREAM, 1) if heard.status == 0 => return,
            (GOAWAY, _) => return,
            _ => {}
        }
        if matches!(kind, HEADERS | DATA) && flags & END_STREAM != 0 {
            return;
        }
    }
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// A length of seven bits, and as many bytes more as it takes.
fn length(block: &mut Vec<u8>, length: usize) {
    let Some(mut rest) = length.checked_sub(127) else { return block.push(u8::try_from(length).unwrap()) };
    block.push(127);
    while rest >= 128 {
        block.push(u8::try_from(rest % 128).unwrap() | 128);
        rest /= 128;
    }
    block.push(u8::try_from(rest).unwrap());
}

/// Which status comes first in a block of fields.
fn status(block: &[u8]) -> u16 {
    match block {
        // Those that the static table has.
        [known @ 0x88..=0x8e, ..] => [200, 204, 206, 304, 400, 404, 500][usize::from(known - 0x88)],
        // Others by the name in that table and three digits, five or six bits each.
        [0x48 | 0x08 | 0x18, packed, rest @ ..] if packed & 0x80 != 0 => {
            let bits =
                rest.iter().take(usize::from(packed & 0x7f)).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            digits(bits, u32::from(packed & 0x7f) * 8)
        }
        [0x48 | 0x08 | 0x18, 3, a, b, c, ..] => {
            [a, b, c].iter().fold(0, |status, digit| status * 10 + u16::from(**digit - b'0'))
        }
        _ => panic!("{block:?}"),
    }
}

fn digits(bits: u64, mut left: u32) -> u16 {
    let mut status = 0;
    for _ in 0..3 {
        let mut take = |count: u32| {
            left -= count;
            bits >> left & ((1 << count) - 1)
        };
        let digit = match take(5) {
            short @ 0..=2 => short,
            long => (long << 1 | take(1)) - 0b01_1001 + 3,
        };
        status = status * 10 + u16::try_from(digit).unwrap();
    }
    status
}
