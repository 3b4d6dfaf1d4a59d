/* SPDX-License-Identifier: GPL-2.0-only */
#define _GNU_SOURCE /* strchrnul */
#include "page.h"

#include <string.h>

#define HEAD 30.0 /* pixels above a frame in an SVG: the kernel and the operation */
#define LINE 16.0 /* of a hazard below it */

static size_t last_step(const struct picture *picture, size_t step)
{
	return step < picture->nr_frames ? step : picture->nr_frames - 1;
}

/* What is wrong, a line each, below a frame. Answers the y below them. */
static double draw_wrong(const struct frame *frame, double y, FILE *out)
{
	for (const char *line = frame->wrong, *end; *line; line = end + (*end == '\n')) {
		char text[256];

		end = strchrnul(line, '\n');
		snprintf(text, sizeof(text), "%.*s", (int)(end - line), line);
		fprintf(out, "<text class=\"alarm\" x=\"8\" y=\"%.1f\">", y + 11);
		svg_text(text, out);
		fputs("</text>\n", out);
		y += LINE;
	}
	return y;
}

void page_svg(const struct layout *layout, const struct picture *pictures, size_t nr_pictures,
	      size_t step, FILE *out)
{
	double height = 0, y = 0;

	for (size_t p = 0; p < nr_pictures; p++)
		height += HEAD + layout->height +
			  LINE * (double)pictures[p].frames[last_step(&pictures[p], step)].nr_wrong;
	fprintf(out,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"map\" viewBox=\"0 0 %.0f %.0f\" "
		"width=\"%.0f\" height=\"%.0f\">\n<style>%s</style>\n"
		"<rect class=\"paper\" width=\"100%%\" height=\"100%%\"/>\n",
		FRAME_WIDTH, height + 8, FRAME_WIDTH, height + 8, svg_style);
	for (size_t p = 0; p < nr_pictures; p++) {
		const struct frame *frame = &pictures[p].frames[last_step(&pictures[p], step)];

		fprintf(out, "<text class=\"name\" x=\"8\" y=\"%.1f\">Linux ", y + 20);
		svg_text(pictures[p].kernel, out);
		fputs(", after: ", out);
		svg_text(frame->op, out);
		fputs("</text>\n", out);
		svg_frame(layout, frame, y + HEAD, out);
		y = draw_wrong(frame, y + HEAD + layout->height, out);
	}
	fputs("</svg>\n", out);
}

static const char page_style[] =
	"*{box-sizing:border-box}body{margin:0;background:var(--paper);color:var(--ink);"
	"font:14px system-ui,sans-serif}\n"
	"header{position:sticky;top:0;background:var(--paper);border-bottom:1px solid var(--line);"
	"padding:8px 16px;display:flex;gap:12px;align-items:center;flex-wrap:wrap;z-index:1}\n"
	"h1{font-size:16px;margin:0}h2{font-size:14px;margin:12px 0 4px}\n"
	"button{font:inherit;color:inherit;background:none;border:1px solid var(--line);"
	"border-radius:4px;padding:2px 10px;cursor:pointer}input[type=range]{flex:1;min-width:120px}\n"
	"main{display:grid;grid-template-columns:minmax(220px,340px) 1fr;gap:16px;padding:8px 16px}\n"
	"ol{margin:0;padding:0;list-style:none;max-height:85vh;overflow:auto;position:sticky;top:56px}\n"
	"li{font:12px ui-monospace,monospace;padding:3px 6px;border-left:4px solid transparent;"
	"cursor:pointer;overflow-wrap:anywhere}\n"
	"li.now{border-color:var(--new);background:var(--vma)}li.bad::after{content:' !';"
	"color:var(--wrong);font-weight:bold}\n"
	".kernels{display:grid;gap:16px;min-width:0}@media(min-width:1900px){.kernels.two{"
	"grid-template-columns:1fr 1fr}}\n"
	".map{width:100%;height:auto;border:1px solid var(--line)}\n"
	"pre{font:12px ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere;margin:4px 0}\n"
	"pre.wrong{color:var(--wrong);font-weight:bold}details{color:var(--soft)}\n"
	".frame{display:none}.frame.now{display:block}.key{display:inline-block;width:12px;height:12px;"
	"margin:0 4px 0 10px;vertical-align:-1px;border:1px solid var(--line)}\n"
	"@media(max-width:900px){main{grid-template-columns:1fr}ol{position:static;max-height:30vh}}\n";

/* The step is kept in the address, so that a link shows one. */
static const char page_script[] =
	"const frames=document.querySelectorAll('.frame'),steps=document.querySelectorAll('li'),\n"
	"slider=document.querySelector('input'),count=document.querySelector('output'),last=steps.length-1;\n"
	"let now=0;\n"
	"function show(step){now=Math.max(0,Math.min(last,step));\n"
	"frames.forEach(f=>f.classList.toggle('now',+f.dataset.step===now));\n"
	"steps.forEach((s,i)=>s.classList.toggle('now',i===now));\n"
	"steps[now].scrollIntoView({block:'nearest'});slider.value=now;count.value=now+' of '+last;\n"
	"history.replaceState(null,'','#'+now)}\n"
	"steps.forEach((s,i)=>s.addEventListener('click',()=>show(i)));\n"
	"slider.addEventListener('input',()=>show(+slider.value));\n"
	"document.querySelectorAll('button[data-by]').forEach(b=>b.addEventListener('click',"
	"()=>show(now+ +b.dataset.by)));\n"
	"document.querySelector('#theme').addEventListener('click',()=>{const r=document.documentElement,\n"
	"dark=r.dataset.theme?r.dataset.theme==='dark':matchMedia('(prefers-color-scheme:dark)').matches;\n"
	"r.dataset.theme=dark?'light':'dark'});\n"
	"addEventListener('keydown',e=>{const by={ArrowLeft:-1,ArrowRight:1,PageUp:-10,PageDown:10,"
	"Home:-1e9,End:1e9}[e.key];\n"
	"if(by&&!e.ctrlKey&&!e.altKey&&!e.metaKey){e.preventDefault();show(now+by)}});\n"
	"show(parseInt(location.hash.slice(1))||0);\n";

static void html_text(const char *element, const char *class, const char *text, FILE *out)
{
	fprintf(out, "<%s class=\"%s\">", element, class);
	svg_text(text, out);
	fprintf(out, "</%s>\n", element);
}

static void html_frame(const struct layout *layout, const struct frame *frame, size_t step,
		       FILE *out)
{
	fprintf(out, "<div class=\"frame\" data-step=\"%zu\">\n", step);
	html_text("pre", "op", frame->op, out);
	html_text("pre", "answer", frame->answer, out);
	if (*frame->wrong)
		html_text("pre", "wrong", frame->wrong, out);
	fprintf(out, "<svg class=\"map\" viewBox=\"0 0 %.0f %.0f\">\n", FRAME_WIDTH,
		layout->height + 4);
	svg_frame(layout, frame, 0, out);
	fputs("</svg>\n", out);
	if (*frame->events) {
		fputs("<details open><summary>events and reasons</summary>\n", out);
		html_text("pre", "events", frame->events, out);
		fputs("</details>\n", out);
	}
	fputs("</div>\n", out);
}

static void html_operations(const struct picture *pictures, size_t nr_pictures, FILE *out)
{
	fputs("<ol>\n", out);
	for (size_t i = 0; i < pictures->nr_frames; i++) {
		bool bad = false;

		for (size_t p = 0; p < nr_pictures; p++)
			bad |= pictures[p].frames[i].nr_wrong > 0;
		html_text("li", bad ? "bad" : "", pictures->frames[i].op, out);
	}
	fputs("</ol>\n", out);
}

static void html_header(const char *title, size_t last, FILE *out)
{
	fputs("<header><h1>", out);
	svg_text(title, out);
	fprintf(out,
		"</h1><button data-by=\"-1\" aria-label=\"back\">&#9664;</button>"
		"<button data-by=\"1\" aria-label=\"forward\">&#9654;</button>"
		"<input type=\"range\" min=\"0\" max=\"%zu\" value=\"0\" aria-label=\"operation\">"
		"<output></output><button id=\"theme\">light or dark</button>\n"
		"<span><span class=\"key\" style=\"background:var(--page)\"></span>page"
		"<span class=\"key\" style=\"background:var(--pmd)\"></span>2M and its like"
		"<span class=\"key\" style=\"background:var(--pud)\"></span>1G"
		"<span class=\"key\" style=\"border:2px solid var(--new)\"></span>new"
		"<span class=\"key\" style=\"border:1px dashed var(--soft)\"></span>gone"
		"<span class=\"key\" style=\"border:2px solid var(--wrong)\"></span>wrong"
		" &#9670; 1G &#9650; 2M aligned</span></header>\n",
		last);
}

void page_html(const struct layout *layout, const struct picture *pictures, size_t nr_pictures,
	       const char *title, FILE *out)
{
	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	      "<meta name=\"viewport\" content=\"width=device-width\"><title>",
	      out);
	svg_text(title, out);
	fprintf(out, "</title>\n<style>%s%s</style></head><body>\n", svg_style, page_style);
	html_header(title, pictures->nr_frames - 1, out);
	fputs("<main>", out);
	html_operations(pictures, nr_pictures, out);
	fprintf(out, "<div class=\"kernels%s\">\n", nr_pictures > 1 ? " two" : "");
	for (size_t p = 0; p < nr_pictures; p++) {
		fputs("<section><h2>Linux ", out);
		svg_text(pictures[p].kernel, out);
		fputs("</h2>\n", out);
		for (size_t i = 0; i < pictures[p].nr_frames; i++)
			html_frame(layout, &pictures[p].frames[i], i, out);
		fputs("</section>\n", out);
	}
	fprintf(out, "</div></main>\n<script>%s</script></body></html>\n", page_script);
}
