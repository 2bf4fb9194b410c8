import { bundleSuite } from "./bundle.ts";
import { runSpecs } from "./run_specs.ts";
import { readIgnoreList } from "./ignore_list.ts";
//Deno.env.set("TF_CPP_MIN_LOG_LEVEL","3");
let t=performance.now(); const url = await bundleSuite("/tmp/w/cf/out"); console.log(url, performance.now()-t);
const ignore = await readIgnoreList(); console.log(ignore.length);
t=performance.now();
let n=0,f=0,x=0; const fails: unknown[]=[]; const ex:string[]=[];
const grep = Deno.args[0] ?? "";
await runSpecs({ load: async()=>{ const m=await import(url); console.log("loaded", performance.now()-t); try { const v = m.registerSuiteBackend("/tmp/w/lib/libtensorflow_cc.so.2"); console.log(v); } catch(e) { Deno.stderr.writeSync(new TextEncoder().encode("ERR "+(e as Error).stack)); } },
 select: (name)=>{ if(!name.includes(grep)) return false; if (ignore.some(i=>name.includes(i))) {x++; ex.push(name); return false;} return true; },
 onResult: (r,total)=>{ n++; if(!r.passed){f++; fails.push(r);} if (n%500==0) console.log(n,total,f, performance.now()-t); if (r.duration>1000) console.log("slow", r.name, r.duration);}});
console.log({n,f,x}, performance.now()-t);
Deno.writeTextFileSync("/tmp/w/cf/fails.json", JSON.stringify(fails,null,1));
Deno.exit(0);
