/** Where the API listens unless somebody says otherwise. */
export const usualPort = 7443
