use super::*;
use crate::samples::*;
use crate::{Content, Error, Pool, Role, fit};
use ::image::DynamicImage;
use proptest::prelude::*;
use std::fs;
use tempfile::TempDir;

struct Desk(TempDir);

impl Desk {
    fn new() -> Desk {
        Desk(tempfile::tempdir().unwrap())
    }

    fn file(&self, data: &[u8]) -> std::path::PathBuf {
        let path = self.0.path().join("upload");
        fs::write(&path, data).unwrap();
        path
    }

    fn process(&self, data: &[u8]) -> Result<Processed> {
        process(&self.file(data), &Limits::default())
    }

    fn files(&self) -> usize {
        fs::read_dir(self.0.path()).unwrap().count()
    }
}

fn pixels(output: &Output) -> DynamicImage {
    let data = output.content.read().unwrap();
    assert_eq!(output.bytes, data.len() as u64);
    let anatomy = container::walk(&data, &Limits::default()).unwrap();
    assert_eq!((anatomy.format, anatomy.shown_size()), (output.format, output.size));
    assert!(anatomy.is_intact());
    match output.format {
        // The image crate is built without a JPEG decoder here.
        Format::Jpeg => {
            let data = jpeg_decoder::Decoder::new(&data[..]).decode().unwrap();
            ::image::RgbImage::from_raw(output.size.width, output.size.height, data).unwrap().into()
        }
        _ => ::image::load_from_memory(&data).unwrap(),
    }
}

/// Which of the four colours stands in each corner, row by row.
fn corners(image: &DynamicImage) -> [usize; 4] {
    let image = image.to_rgb8();
    let (right, bottom) = (image.width() - 3, image.height() - 3);
    [(2, 2), (right, 2), (2, bottom), (right, bottom)].map(|(x, y)| {
        let pixel = image.get_pixel(x, y).0;
        let distance =
            |colour: &[u8; 3]| -> u32 { colour.iter().zip(pixel).map(|(a, b)| u32::from(a.abs_diff(b))).sum() };
        let colours = [RED, GREEN, BLUE, WHITE];
        let nearest = (0..4).min_by_key(|index| distance(&colours[*index])).unwrap();
        assert!(distance(&colours[nearest]) < 200, "{pixel:?}");
        nearest
    })
}

fn input(result: Result<Processed>) -> Fault {
    match result {
        Err(Error::Input(fault)) => fault,
        Err(other) => panic!("{other:?}"),
        Ok(done) => panic!("accepted as {:?}", done.original.format),
    }
}

#[test]
fn orientation_is_applied_and_metadata_is_gone() {
    let shown = [
        (1, [0, 1, 2, 3]),
        (2, [1, 0, 3, 2]),
        (3, [3, 2, 1, 0]),
        (4, [2, 3, 0, 1]),
        (5, [0, 2, 1, 3]),
        (6, [2, 0, 3, 1]),
        (7, [3, 1, 2, 0]),
        (8, [1, 3, 0, 2]),
    ];
    let (opaque, clear) = (quarters(48, 32), DynamicImage::from(quarters(48, 32)).into_rgba8());
    let desk = Desk::new();
    for (orientation, expected) in shown {
        let files = [
            jpeg_with_metadata(&jpeg(&opaque), orientation),
            png_with_metadata(&png(opaque.clone()), orientation),
            webp_with_metadata(&clear, orientation),
        ];
        for file in files {
            let done = desk.process(&file).unwrap();
            let size = if orientation < 5 { (48, 32) } else { (32, 48) };
            assert_eq!((done.original.size.width, done.original.size.height), size);
            for output in [&done.original, &done.small] {
                assert_eq!(corners(&pixels(output)), expected, "{orientation} {:?}", output.format);
                assert!(!has_secret(&output.content.read().unwrap()));
            }
        }
    }
}

#[test]
fn an_upright_original_within_bounds_keeps_its_pixels() {
    let desk = Desk::new();
    let image = quarters(1200, 900);
    for (plain, format) in [(jpeg(&image), Format::Jpeg), (png(image.clone()), Format::Png)] {
        let done = desk.process(&plain).unwrap();
        assert_eq!(done.original.content.read().unwrap(), plain);
        assert_eq!((done.original.format, done.frames), (format, 1));
        assert_eq!(done.small.format, Format::Jpeg);
        assert_eq!(done.small.size.to_string(), "554x416");
        assert_eq!(corners(&pixels(&done.small)), [0, 1, 2, 3]);
        assert_eq!(done.blurhash.len(), 36);
    }
}

#[test]
fn a_larger_original_is_brought_down() {
    let desk = Desk::new();
    let path = desk.file(&jpeg_with_metadata(&jpeg(&quarters(640, 400)), 6));
    let limits = Limits { original_pixels: 64_000, small_pixels: 1_000, ..Limits::default() };
    let done = process(&path, &limits).unwrap();
    assert_eq!(done.original.size.to_string(), "200x320");
    assert_eq!(done.small.size.to_string(), "25x40");
    assert_eq!(corners(&pixels(&done.original)), [2, 0, 3, 1]);
    let bytes = done.original.content.read().unwrap();
    let profile = icc();
    assert!(bytes.windows(profile.len()).any(|window| window == profile), "the colour profile goes along");

    let path = desk.file(&png(holed(640, 400)));
    let done = process(&path, &limits).unwrap();
    assert_eq!((done.original.format, done.small.format), (Format::Png, Format::Png));
    assert_eq!(pixels(&done.original).to_rgba8().get_pixel(315, 195).0[3], 0);
}

#[test]
fn animations_are_kept_and_their_first_frame_is_the_preview() {
    let desk = Desk::new();
    let clear = DynamicImage::from(quarters(800, 600)).into_rgba8();
    for data in [gif(&clear, 3), apng(&clear, 3), animated_webp(&clear, 3)] {
        let done = desk.process(&data).unwrap();
        assert_eq!(done.original.content.read().unwrap(), data);
        assert_eq!(done.frames, 3);
        assert_eq!(done.small.format, Format::Jpeg);
        assert_eq!(corners(&pixels(&done.small)), [0, 1, 2, 3]);
    }
    let limits = Limits { original_pixels: 100_000, ..Limits::default() };
    let refused = process(&desk.file(&gif(&clear, 2)), &limits);
    assert_eq!(input(refused), Fault::TooManyPixels { width: 800, height: 600 });
}

#[test]
fn avif_is_converted() {
    let desk = Desk::new();
    let files: [&[u8]; 2] = [
        include_bytes!("../../tests/fixtures/quarters.avif"),
        include_bytes!("../../tests/fixtures/quarters-444.avif"),
    ];
    for file in files {
        let done = desk.process(file).unwrap();
        assert_eq!((done.original.format, done.original.size.to_string()), (Format::Jpeg, "48x32".to_owned()));
        assert_eq!(corners(&pixels(&done.original)), [0, 1, 2, 3]);
    }
    let done = desk.process(include_bytes!("../../tests/fixtures/half-transparent.avif")).unwrap();
    assert_eq!(done.original.format, Format::Png);
    let image = pixels(&done.original).to_rgba8();
    assert_eq!((image.get_pixel(5, 5).0[3], image.get_pixel(40, 5).0[3]), (255, 0));
    let [r, g, b, _] = image.get_pixel(5, 5).0;
    assert!(r > 190 && g < 60 && b < 60);
}

#[test]
fn refusals_say_why() {
    let desk = Desk::new();
    assert_eq!(input(desk.process(b"")), Fault::ContentType);
    assert_eq!(input(desk.process(b"<svg></svg>")).to_string(), "File content type is invalid");
    let heic = input(desk.process(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic"));
    assert_eq!(heic.to_string(), "File content type is not supported by this server (HEIC)");
    let path = desk.file(&jpeg(&quarters(64, 64)));
    let limits = Limits { max_bytes: 200, ..Limits::default() };
    assert_eq!(input(process(&path, &limits)), Fault::TooManyBytes { max: 200 });
    let large = Fault::TooManyBytes { max: Limits::default().max_bytes };
    assert_eq!(large.to_string(), "File must be less than 16 MB");
    let missing = process(&desk.0.path().join("nothing"), &Limits::default());
    assert!(matches!(missing, Err(Error::Storage(_))));
}

#[test]
fn cut_files_are_refused() {
    let desk = Desk::new();
    let holed = holed(48, 32);
    let opaque = quarters(48, 32);
    let files = [jpeg(&opaque), progressive_jpeg(&opaque), png(holed.clone()), gif(&holed, 1), webp(&holed)];
    for file in files {
        // A GIF may lack its last byte.
        for cut in (0..file.len() - 1).step_by(1 + file.len() / 60) {
            input(desk.process(&file[..cut]));
        }
    }
    assert_eq!(desk.files(), 1, "nothing is left but the upload");
}

#[tokio::test]
async fn outputs_are_removed_unless_they_are_stored() {
    let desk = Desk::new();
    let noise = ::image::RgbImage::from_fn(900, 700, |x, y| {
        let value = (x.wrapping_mul(2_654_435_761) ^ y.wrapping_mul(40_503)).wrapping_mul(2_246_822_519);
        ::image::Rgb([value as u8, (value >> 8) as u8, (value >> 16) as u8])
    });
    let path = desk.file(&jpeg(&noise));
    let done = Pool::default().run(move || process(&path, &Limits::default())).await.unwrap();
    assert!(matches!(done.original.content, Content::File(_)), "{}", done.original.bytes);
    assert_eq!(desk.files(), 2);
    drop(done);
    assert_eq!(desk.files(), 1);
}

#[test]
fn avatars_headers_and_emoji() {
    let desk = Desk::new();
    let limits = Limits::default();
    let fitted = |data: &[u8], role| fit(&desk.file(data), role, &limits);
    let text = |output: &Output| (output.format, output.size.to_string());

    let wide = jpeg_with_metadata(&jpeg(&quarters(1600, 800)), 1);
    let avatar = fitted(&wide, Role::Avatar).unwrap();
    assert_eq!(text(&avatar.original), (Format::Jpeg, "400x400".to_owned()));
    assert!(avatar.still.is_none());
    assert_eq!(corners(&pixels(&avatar.original)), [0, 1, 2, 3]);
    assert_eq!(text(&fitted(&wide, Role::Header).unwrap().original), (Format::Jpeg, "1500x500".to_owned()));
    let tiny = png(holed(90, 60));
    assert_eq!(text(&fitted(&tiny, Role::Avatar).unwrap().original), (Format::Png, "60x60".to_owned()));

    let moving = gif(&holed(500, 500), 3);
    let avatar = fitted(&gif_with_metadata(&moving), Role::Avatar).unwrap();
    assert_eq!(avatar.original.content.read().unwrap(), moving);
    assert_eq!(text(avatar.still.as_ref().unwrap()), (Format::Png, "400x400".to_owned()));

    let emoji = fitted(&moving, Role::Emoji).unwrap();
    assert_eq!(emoji.original.format, Format::Gif);
    assert_eq!(text(emoji.still.as_ref().unwrap()), (Format::Png, "500x500".to_owned()));
    assert!(matches!(fitted(&wide, Role::Emoji), Err(Error::Input(Fault::ContentType))));
    let heavy = [moving, vec![0; 300_000]].concat();
    assert!(matches!(fitted(&heavy, Role::Emoji), Err(Error::Input(Fault::TooManyBytes { max: 262_144 }))));
}

#[test]
fn every_kind_of_jpeg() {
    let desk = Desk::new();
    let files: [(&[u8], u64); 4] = [
        (include_bytes!("../../tests/fixtures/optimised-420.jpg"), 0),
        (include_bytes!("../../tests/fixtures/progressive-444.jpg"), 0),
        (include_bytes!("../../tests/fixtures/cmyk.jpg"), 0),
        (include_bytes!("../../tests/fixtures/grey.jpg"), 1),
    ];
    let limits = Limits { small_pixels: 48 * 32, ..Limits::default() };
    for (file, is_grey) in files {
        let done = process(&desk.file(file), &limits).unwrap();
        let (original, small) = (done.original, done.small);
        assert_eq!((original.size.to_string(), small.size.to_string()), ("144x96".into(), "48x32".into()));
        if is_grey == 0 {
            assert_eq!(corners(&pixels(&small)), [0, 1, 2, 3]);
        } else {
            let bright = |x, y| pixels(&small).to_luma8().get_pixel(x, y).0[0];
            assert!(bright(45, 29) > 200 && bright(2, 29) < 80);
        }
    }
}

fn samples() -> Vec<Vec<u8>> {
    let (opaque, holed) = (quarters(24, 16), holed(24, 16));
    vec![
        jpeg_with_metadata(&jpeg(&opaque), 6),
        progressive_jpeg(&opaque),
        png_with_metadata(&png(holed.clone()), 3),
        apng(&holed, 2),
        gif_with_metadata(&gif(&holed, 2)),
        webp_with_metadata(&holed, 8),
        animated_webp(&holed, 2),
        include_bytes!("../../tests/fixtures/half-transparent.avif").to_vec(),
    ]
}

fn only_input_errors(desk: &Desk, data: &[u8]) -> std::result::Result<(), TestCaseError> {
    match desk.process(data) {
        Ok(done) => prop_assert!(done.original.size.area() > 0),
        Err(failure) => prop_assert!(matches!(failure, Error::Input(_)), "{failure:?}"),
    }
    prop_assert_eq!(desk.files(), 1);
    Ok(())
}

proptest! {
    #[test]
    fn noise_behind_any_magic_never_panics(kind in 0..9usize, noise in prop::collection::vec(any::<u8>(), 0..400)) {
        let magic: [&[u8]; 9] = [
            b"\xFF\xD8\xFF", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x40\0\0\0WEBP", b"RIFF\x40\0\0\0WEBPVP8X",
            b"\0\0\0\x14ftypavif\0\0\0\0avif", b"\0\0\0\x14ftypheic\0\0\0\0mif1", b"", b"\xFF\xD8\xFF\xC0",
        ];
        only_input_errors(&Desk::new(), &[magic[kind], &noise].concat())?;
    }

    #[test]
    fn damaged_files_never_panic(
        kind in 0..8usize,
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut data = samples().swap_remove(kind);
        for (place, value) in damage {
            let place = place.index(data.len());
            data[place] = value;
        }
        if is_cut {
            data.truncate(cut.index(data.len()));
        }
        only_input_errors(&Desk::new(), &data)?;
    }
}
