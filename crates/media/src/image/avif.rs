//! AVIF: AV1 frames turned into RGB.

use super::bitmap::{Bitmap, Layout};
use crate::container::{AvifItems, avif_items};
use crate::{Fault, Limits, Size};
use rav1d_safe::src::managed::{Stop, StopReason};
use rav1d_safe::{ColorRange, Decoder, Frame, MatrixCoefficients, PixelLayout, Planes, Settings};

use std::sync::Arc;
use std::time::{Duration, Instant};

type Result<T> = std::result::Result<T, Fault>;

/// A bitstream may hold any number of hidden frames before the one that is shown.
const MAX_TIME: Duration = Duration::from_secs(10);

struct Deadline(Instant);

impl Stop for Deadline {
    fn check(&self) -> std::result::Result<(), StopReason> {
        match Instant::now() > self.0 {
            true => Err(StopReason::TimedOut),
            false => Ok(()),
        }
    }
}

pub(super) fn decode(data: &[u8], limits: &Limits) -> Result<Bitmap> {
    let AvifItems { colour, alpha, is_premultiplied } = avif_items(data)?;
    let frame = first_frame(&colour, limits)?;
    let size = Size { width: frame.width(), height: frame.height() };
    let mut pixels = to_rgba(&frame)?;
    let Some(alpha) = alpha else { return Bitmap::new(size, Layout::Rgba, pixels) };
    let alpha = first_frame(&alpha, limits)?;
    if (alpha.width(), alpha.height()) != (size.width, size.height) {
        return Err(Fault::broken("its sizes do not agree"));
    }
    let scale = Scale::of(&alpha);
    let plane = Samples::luma(&alpha);
    let width = size.width as usize;
    for (place, pixel) in pixels.chunks_exact_mut(4).enumerate() {
        let value = scale.luma(plane.at(place % width, place / width));
        pixel[3] = byte(value);
        if is_premultiplied && value > 0.0 {
            for channel in &mut pixel[..3] {
                *channel = byte(f32::from(*channel) / 255.0 / value);
            }
        }
    }
    Bitmap::new(size, Layout::Rgba, pixels)
}

fn first_frame(bitstream: &[u8], limits: &Limits) -> Result<Frame> {
    let failed = |failure| {
        tracing::debug!(%failure, "an AV1 frame cannot be decoded");
        Fault::broken("it cannot be decoded")
    };
    let mut settings = Settings::default();
    settings.threads = 1;
    settings.max_frame_delay = 1;
    settings.frame_size_limit = u32::try_from(limits.max_pixels).unwrap_or(u32::MAX);
    settings.all_layers = false;
    let mut decoder = Decoder::with_settings(settings).map_err(failed)?;
    decoder.set_stop(Some(Arc::new(Deadline(Instant::now() + MAX_TIME))));
    let frame = match decoder.decode(bitstream).map_err(failed)? {
        Some(frame) => Some(frame),
        None => decoder.get_frame().map_err(failed)?,
    };
    frame.ok_or(Fault::Truncated)
}

/// The planes of a frame with one way to read them; outside of a plane is its edge.
enum Samples<'a> {
    Eight(rav1d_safe::PlaneView8<'a>),
    Sixteen(rav1d_safe::PlaneView16<'a>),
    None,
}

impl<'a> Samples<'a> {
    fn luma(frame: &'a Frame) -> Samples<'a> {
        match frame.planes() {
            Planes::Depth8(planes) => Samples::Eight(planes.y()),
            Planes::Depth16(planes) => Samples::Sixteen(planes.y()),
        }
    }

    fn chroma(frame: &'a Frame) -> [Samples<'a>; 2] {
        match frame.planes() {
            Planes::Depth8(planes) => [planes.u(), planes.v()].map(|p| p.map_or(Samples::None, Samples::Eight)),
            Planes::Depth16(planes) => [planes.u(), planes.v()].map(|p| p.map_or(Samples::None, Samples::Sixteen)),
        }
    }

    fn at(&self, x: usize, y: usize) -> f32 {
        match self {
            Samples::Eight(plane) => plane.as_slice().get(y * plane.stride() + x).copied().map_or(0.0, f32::from),
            Samples::Sixteen(plane) => plane.as_slice().get(y * plane.stride() + x).copied().map_or(0.0, f32::from),
            Samples::None => 0.0,
        }
    }
}

/// Turns stored numbers into 0 to 1 (brightness) and -0.5 to 0.5 (colour).
struct Scale {
    black: f32,
    luma_range: f32,
    middle: f32,
    chroma_range: f32,
}

impl Scale {
    fn of(frame: &Frame) -> Scale {
        let depth = i32::from(frame.bit_depth()) - 8;
        let unit = 2f32.powi(depth);
        let full = 256.0 * unit - 1.0;
        match frame.color_info().color_range {
            ColorRange::Full => Scale { black: 0.0, luma_range: full, middle: 128.0 * unit, chroma_range: full },
            ColorRange::Limited => {
                let (luma_range, chroma_range) = (219.0 * unit, 224.0 * unit);
                Scale { black: 16.0 * unit, luma_range, middle: 128.0 * unit, chroma_range }
            }
        }
    }

    fn luma(&self, value: f32) -> f32 {
        ((value - self.black) / self.luma_range).clamp(0.0, 1.0)
    }

    fn chroma(&self, value: f32) -> f32 {
        (value - self.middle) / self.chroma_range
    }
}

fn to_rgba(frame: &Frame) -> Result<Vec<u8>> {
    let (width, height) = (frame.width() as usize, frame.height() as usize);
    let (halved_x, halved_y) = match frame.pixel_layout() {
        PixelLayout::I400 | PixelLayout::I444 => (0, 0),
        PixelLayout::I422 => (1, 0),
        PixelLayout::I420 => (1, 1),
    };
    let is_grey = frame.pixel_layout() == PixelLayout::I400;
    let scale = Scale::of(frame);
    let matrix = frame.color_info().matrix_coefficients;
    let (luma, [u, v]) = (Samples::luma(frame), Samples::chroma(frame));
    let mut out = Vec::with_capacity(width * height * 4);
    for y in 0..height {
        for x in 0..width {
            let brightness = luma.at(x, y);
            let (cx, cy) = (x >> halved_x, y >> halved_y);
            let rgb = if is_grey {
                [scale.luma(brightness); 3]
            } else if matrix == MatrixCoefficients::Identity {
                [v.at(cx, cy), brightness, u.at(cx, cy)].map(|value| scale.luma(value))
            } else {
                from_ycc(scale.luma(brightness), [scale.chroma(u.at(cx, cy)), scale.chroma(v.at(cx, cy))], matrix)
            };
            let [r, g, b] = rgb.map(byte);
            out.extend_from_slice(&[r, g, b, 255]);
        }
    }
    Ok(out)
}

/// ITU-T H.273, section 8.3.
fn from_ycc(y: f32, [cb, cr]: [f32; 2], matrix: MatrixCoefficients) -> [f32; 3] {
    if matrix == MatrixCoefficients::YCgCo {
        let rest = y - cb;
        return [rest + cr, y + cb, rest - cr];
    }
    let (kr, kb) = match matrix {
        MatrixCoefficients::BT709 => (0.2126, 0.0722),
        MatrixCoefficients::FCC => (0.30, 0.11),
        MatrixCoefficients::SMPTE240 => (0.212, 0.087),
        MatrixCoefficients::BT2020NCL | MatrixCoefficients::BT2020CL => (0.2627, 0.0593),
        _ => (0.299, 0.114),
    };
    let (r, b) = (y + 2.0 * (1.0 - kr) * cr, y + 2.0 * (1.0 - kb) * cb);
    [r, (y - kr * r - kb * b) / (1.0 - kr - kb), b]
}

fn byte(value: f32) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}
