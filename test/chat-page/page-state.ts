import type { Locator, Page } from 'playwright-core';

/** True when the one element that the locator finds has the focus. */
export async function isFocused(locator: Locator): Promise<boolean> {
  return (await locator.and(locator.page().locator(':focus')).count()) === 1;
}

/** Marks the first element of a selector, so that it can be told from one that was built in its place. */
export async function mark(page: Page, selector: string): Promise<void> {
  await page.evaluate(`document.querySelector(${JSON.stringify(selector)}).marked = true`);
}

export function isMarked(page: Page, selector: string): Promise<boolean> {
  return page.evaluate<boolean>(`document.querySelector(${JSON.stringify(selector)}).marked === true`);
}

/** CSS pixels of the log that are above what is shown. */
export function scrollTop(page: Page): Promise<number> {
  return page.evaluate<number>("document.querySelector('.log').scrollTop");
}

/** CSS pixels of the log that are below what is shown. */
export function distanceFromEnd(page: Page): Promise<number> {
  return page.evaluate<number>(
    "(({ scrollHeight, scrollTop, clientHeight }) => scrollHeight - scrollTop - clientHeight)(document.querySelector('.log'))",
  );
}

export async function scrollLog(page: Page, top: number): Promise<void> {
  await page.evaluate(`document.querySelector('.log').scrollTop = ${top}`);
}

/** HTML of controls that a screen reader could not name. */
export function namelessControls(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`[...document.querySelectorAll('button, input, textarea, select, progress')]
    .filter((control) => (control.getAttribute('aria-label') ?? control.textContent).trim() === '')
    .map(({ outerHTML }) => outerHTML)`);
}

/** Classes of elements that reach beyond the right edge of the page, other than inside of what scrolls by itself. */
export function tooWideElements(page: Page): Promise<string[]> {
  return page.evaluate<string[]>(`[...document.querySelectorAll('.panel *')]
    .filter((one) => one.closest('pre, .table-frame, .visually-hidden') === null && one.clientWidth > 0)
    .filter((one) => one.getBoundingClientRect().right > window.innerWidth + 1)
    .map(({ className }) => className)`);
}
