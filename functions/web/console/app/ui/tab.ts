/** Opens a link in another tab, as soon as it is known. The tab opens at once, since browsers block one that no click has opened. */
export async function openTab(link: () => Promise<string>): Promise<void> {
  const tab = open("", "_blank");
  if (tab) tab.opener = null;
  try {
    const url = await link();
    if (tab) tab.location.replace(url);
    else location.assign(url);
  } catch (failure) {
    tab?.close();
    throw failure;
  }
}
