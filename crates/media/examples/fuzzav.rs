#![allow(clippy::all, clippy::unwrap_used, clippy::print_stdout)]
// temporary
fn main(){
  let which=std::env::args().nth(1).unwrap(); let secs:u64=std::env::args().nth(2).unwrap().parse().unwrap(); let mut s:u64=std::env::args().nth(3).unwrap().parse().unwrap();
  let mut r=move||{s^=s<<13;s^=s>>7;s^=s<<17;s};
  let corpus:Vec<Vec<u8>>=std::fs::read_dir("/tmp/avc").unwrap().map(|e|std::fs::read(e.unwrap().path()).unwrap()).collect();
  let t=std::time::Instant::now(); let (mut n,mut ok,mut pan)=(0u64,0u64,0u64);
  while t.elapsed().as_secs()<secs { 
    let f=&corpus[r() as usize%corpus.len()]; let at=f.windows(4).position(|w|w==b"mdat").unwrap()+4; let mut d=f[at..].to_vec();
    let m=1+r()%8; for _ in 0..m { let span= if r()%2==0 {d.len().min(40)} else {d.len()}; let p=r() as usize%span; if r()%3==0 {d[p]=r() as u8} else {d[p]^=1<<(r()%8)} }
    if r()%10==0 { let l=r() as usize%d.len(); d.truncate(l.max(1)); }
    n+=1; std::fs::write("/tmp/fuzz-last.bin",&d).unwrap();
    let res=std::panic::catch_unwind(||{
      if which=="re" { use re_rav1d::dav1d::*; let mut st=Settings::new(); st.set_n_threads(1); st.set_max_frame_delay(1); st.set_frame_size_limit(4_000_000); st.set_all_layers(false); st.set_strict_std_compliance(std::env::args().nth(4).is_some());
        let mut dec=Decoder::with_settings(&st).unwrap(); let _=dec.send_data(d.clone(),None,None,None); dec.get_picture().map(|p|{let pl=p.plane(PlanarImageComponent::Y); pl.as_ref().iter().map(|b|*b as u64).sum::<u64>()}).is_ok() }
      else { use rav1d_safe::*; let mut st=Settings::default(); st.threads=1; st.max_frame_delay=1; st.frame_size_limit=4_000_000; st.all_layers=false; let mut dec=Decoder::with_settings(st).unwrap(); matches!(dec.decode(&d),Ok(Some(_))) }
    });
    match res { Ok(true)=>ok+=1, Ok(false)=>{}, Err(_)=>pan+=1 }
  }
  println!("{which}: {n} files, {ok} decoded, {pan} panics caught");
}
