/** Checks that a text is well-formed XML, as far as an SVG without a DTD needs it. */

const NAME = String.raw`[A-Za-z_][\w:.-]*`;
const TAG = new RegExp(String.raw`<(/?)(${NAME})((?:\s+${NAME}="[^"<]*")*)\s*(/?)>|([^<]+)`, "gsy");
// deno-lint-ignore no-control-regex
const FORBIDDEN = /[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]|\p{Cs}/u;

/** Names of the elements, in document order. */
export function wellFormedElements(xml: string): string[] {
  const open: string[] = [];
  const names: string[] = [];
  const forbidden = FORBIDDEN.exec(xml);
  if (forbidden) throw new Error(`character ${JSON.stringify(forbidden[0])} is not allowed in XML`);
  let end = 0;
  for (const match of xml.matchAll(TAG)) {
    const [whole, closing, name, attributes, empty, text] = match;
    end = match.index + whole.length;
    const unescaped = (text ?? attributes ?? "").match(
      /&(?!(?:amp|lt|gt|quot|apos|#\d+|#x[\da-f]+);)/i,
    );
    if (unescaped) throw new Error(`unescaped & in ${whole.slice(0, 200)}`);
    if (text !== undefined) {
      if (open.length === 0 && text.trim() !== "") throw new Error(`text outside: ${text}`);
      continue;
    }
    const keys = [...attributes!.matchAll(/\s([^\s=]+)=/g)].map(([, key]) => key);
    if (new Set(keys).size < keys.length) throw new Error(`attribute twice in ${whole}`);
    if (closing) {
      if (open.pop() !== name) throw new Error(`</${name}> closes nothing`);
      continue;
    }
    if (open.length === 0 && names.length > 0) throw new Error(`second root <${name}>`);
    names.push(name!);
    if (!empty) open.push(name!);
  }
  if (end !== xml.length) throw new Error(`not XML: ${xml.slice(end, end + 100)}`);
  if (open.length > 0) throw new Error(`<${open.at(-1)}> is not closed`);
  return names;
}

/** The texts drawn in an SVG, in document order, unescaped. */
export function svgTexts(svg: string): string[] {
  return [...svg.matchAll(/<text[^>]*>(.*?)<\/text>/gs)].map(([, inner]) =>
    inner!.replace(/<\/tspan><tspan[^>]*>/g, "\n").replace(/<[^>]*>/g, "").replace(/&lt;/g, "<")
      .replace(/&gt;/g, ">")
      .replace(/&quot;/g, '"').replace(/&amp;/g, "&")
  );
}
