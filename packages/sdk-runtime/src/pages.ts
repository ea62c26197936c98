/** The pages of a list. A page is requested only when it is read. */
export type Pages<Page> = AsyncIterable<Page> & {
  /** The page that the request names: the first, or the one of its `pageToken`. */
  first(): Promise<Page>;
};

/** The fields that the requests and responses of all lists have. */
export type PageRequest = { readonly pageToken?: string };
export type PageAnswer = { readonly nextPageToken: string };

/**
 * Turns a call that returns one page into an iterable of pages, from the one that the request
 * names. Each page is a separate call, made when the page is read.
 */
export function pagesOf<Request extends PageRequest, Page extends PageAnswer>(
  request: Request,
  ask: (request: Request) => Promise<Page>,
): Pages<Page> {
  return {
    first: () => ask(request),
    async *[Symbol.asyncIterator]() {
      for (let next = request; ; ) {
        const page = await ask(next);
        yield page;
        const { nextPageToken: pageToken } = page;
        if (pageToken === "") return;
        if (pageToken === next.pageToken)
          throw new Error("the next page token is the token of this page");
        next = { ...request, pageToken };
      }
    },
  };
}

/** Yields the items of all pages, from the field `name`, one by one. */
export async function* itemsOf<Name extends string, Page extends Lists<Name>>(
  pages: AsyncIterable<Page>,
  name: Name,
): AsyncGenerator<Page[Name][number], void, undefined> {
  for await (const page of pages) {
    yield* page[name] as readonly Awaited<Page[Name][number]>[];
  }
}

type Lists<Name extends string> = { readonly [name in Name]: readonly unknown[] };
