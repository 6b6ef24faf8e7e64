//! Prints what processing a picture costs: `cargo run --release -p media --example process -- FILE [ROUNDS]`.
//! Without a file it makes a 1600x1200 JPEG of about 393 KB.
#![allow(clippy::print_stdout, clippy::unwrap_used)]

use media::{Limits, probe, process};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

fn main() {
    let mut arguments = std::env::args().skip(1);
    let folder = tempfile::tempdir().unwrap();
    let path = arguments.next().map_or_else(|| photograph(folder.path()), PathBuf::from);
    let rounds: u32 = arguments.next().map_or(200, |text| text.parse().unwrap());
    let limits = Limits::default();
    println!("{:?}", probe(&path, &limits).unwrap());
    // The first round also fills caches and tables.
    let done = process(&path, &limits).unwrap();
    println!("original {:?} {} {} bytes", done.original.format, done.original.size, done.original.bytes);
    println!("small    {:?} {} {} bytes", done.small.format, done.small.size, done.small.bytes);
    println!("blurhash {}", done.blurhash);
    let (started, cpu) = (Instant::now(), cpu_time());
    for _ in 0..rounds {
        process(&path, &limits).unwrap();
    }
    println!("wall {:?}, CPU {:?} a round", started.elapsed() / rounds, (cpu_time() - cpu) / rounds);
}

/// Of all threads, from the kernel, in its ticks of a hundredth of a second; zero where it does not tell.
fn cpu_time() -> Duration {
    let text = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = text.rsplit(')').next().unwrap_or_default();
    let ticks = after_name.split_whitespace().skip(11).take(2).filter_map(|number| number.parse::<u64>().ok());
    Duration::from_millis(ticks.sum::<u64>() * 10)
}

/// Several octaves of noise, about as hard to compress as a photograph.
fn photograph(folder: &Path) -> PathBuf {
    let (width, height) = (1600u16, 1200u16);
    let mut pixels = Vec::with_capacity(usize::from(width) * usize::from(height) * 3);
    for y in 0..height {
        for x in 0..width {
            for channel in 0..3 {
                let value: f32 = (0..8).map(|octave| noise((x, y), octave, channel) * 0.5 * 0.72f32.powi(octave)).sum();
                pixels.push((value * 160.0).clamp(0.0, 255.0) as u8);
            }
        }
    }
    let mut data = Vec::new();
    for quality in (50..96).step_by(3) {
        data.clear();
        let mut encoder = jpeg_encoder::Encoder::new(&mut data, quality);
        encoder.set_sampling_factor(jpeg_encoder::SamplingFactor::R_4_2_0);
        encoder.encode(&pixels, width, height, jpeg_encoder::ColorType::Rgb).unwrap();
        if data.len() > 385_000 {
            break;
        }
    }
    let path = folder.join("photograph.jpg");
    std::fs::write(&path, data).unwrap();
    path
}

/// Smooth noise between 0 and 1.
fn noise((x, y): (u16, u16), octave: i32, channel: u32) -> f32 {
    let scale = 256.0 / 2f32.powi(octave);
    let (x, y) = (f32::from(x) / scale, f32::from(y) / scale);
    let corner = |dx: f32, dy: f32| {
        let (column, row) = ((x.floor() + dx) as u32, (y.floor() + dy) as u32);
        let seed = column.wrapping_mul(374_761_393).wrapping_add(row.wrapping_mul(668_265_263));
        let seed = (seed ^ (octave as u32 * 8 + channel)).wrapping_mul(1_274_126_177);
        let mixed = (seed ^ seed >> 15).wrapping_mul(2_246_822_519);
        (mixed >> 16) as f32 / 65_535.0
    };
    let (fx, fy) = (x.fract(), y.fract());
    let top = corner(0.0, 0.0) * (1.0 - fx) + corner(1.0, 0.0) * fx;
    let bottom = corner(0.0, 1.0) * (1.0 - fx) + corner(1.0, 1.0) * fx;
    top * (1.0 - fy) + bottom * fy
}
